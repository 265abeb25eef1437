module accelerator(aresetn, s_axis_tdata, s_axis_tkeep, s_axis_tlast, s_axis_tvalid, m_axis_tready, s_axil_awaddr, s_axil_awprot, s_axil_araddr, s_axil_arprot, s_axil_wdata, s_axil_wstrb, s_axil_awvalid, s_axil_wvalid, s_axil_arvalid, s_axil_bready, s_axil_rready, s_axis_tready, m_axis_tdata, m_axis_tkeep, m_axis_tlast
, m_axis_tvalid, s_axil_bresp, s_axil_rdata, s_axil_rresp, s_axil_awready, s_axil_wready, s_axil_arready, s_axil_bvalid, s_axil_rvalid, aclk);
  input aresetn;
  wire aresetn;
  input [63:0] s_axis_tdata;
  wire [63:0] s_axis_tdata;
  input [7:0] s_axis_tkeep;
  wire [7:0] s_axis_tkeep;
  input s_axis_tlast;
  wire s_axis_tlast;
  input s_axis_tvalid;
  wire s_axis_tvalid;
  input m_axis_tready;
  wire m_axis_tready;
  input [7:0] s_axil_awaddr;
  wire [7:0] s_axil_awaddr;
  input [2:0] s_axil_awprot;
  wire [2:0] s_axil_awprot;
  input [7:0] s_axil_araddr;
  wire [7:0] s_axil_araddr;
  input [2:0] s_axil_arprot;
  wire [2:0] s_axil_arprot;
  input [31:0] s_axil_wdata;
  wire [31:0] s_axil_wdata;
  input [3:0] s_axil_wstrb;
  wire [3:0] s_axil_wstrb;
  input s_axil_awvalid;
  wire s_axil_awvalid;
  input s_axil_wvalid;
  wire s_axil_wvalid;
  input s_axil_arvalid;
  wire s_axil_arvalid;
  input s_axil_bready;
  wire s_axil_bready;
  input s_axil_rready;
  wire s_axil_rready;
  output s_axis_tready;
  wire s_axis_tready;
  output [63:0] m_axis_tdata;
  wire [63:0] m_axis_tdata;
  output [7:0] m_axis_tkeep;
  wire [7:0] m_axis_tkeep;
  output m_axis_tlast;
  wire m_axis_tlast;
  output m_axis_tvalid;
  wire m_axis_tvalid;
  output [1:0] s_axil_bresp;
  wire [1:0] s_axil_bresp;
  output [31:0] s_axil_rdata;
  wire [31:0] s_axil_rdata;
  output [1:0] s_axil_rresp;
  wire [1:0] s_axil_rresp;
  output s_axil_awready;
  wire s_axil_awready;
  output s_axil_wready;
  wire s_axil_wready;
  output s_axil_arready;
  wire s_axil_arready;
  output s_axil_bvalid;
  wire s_axil_bvalid;
  output s_axil_rvalid;
  wire s_axil_rvalid;
  input aclk;
  wire aclk;
  wire \$1 ;
  wire [31:0] \$2 ;
  wire [63:0] \$3 ;
  wire [2:0] \$4 ;
  wire \$signal ;
  wire \$signal$34 ;
  wire [95:0] \$signature__payload ;
  wire \$signature__ready ;
  wire \$signature__valid ;
  wire [7:0] axil__araddr;
  wire [2:0] axil__arprot;
  wire axil__arready;
  wire axil__arvalid;
  wire [7:0] axil__awaddr;
  wire [2:0] axil__awprot;
  wire axil__awready;
  wire axil__awvalid;
  wire axil__bready;
  wire [1:0] axil__bresp;
  wire axil__bvalid;
  wire [31:0] axil__rdata;
  wire axil__rready;
  wire [1:0] axil__rresp;
  wire axil__rvalid;
  wire [31:0] axil__wdata;
  wire axil__wready;
  wire [3:0] axil__wstrb;
  wire axil__wvalid;
  wire [63:0] axis__tdata;
  wire [63:0] \axis__tdata$46 ;
  wire [7:0] axis__tkeep;
  wire [7:0] \axis__tkeep$48 ;
  wire axis__tlast;
  wire \axis__tlast$50 ;
  wire axis__tready;
  wire \axis__tready$51 ;
  wire axis__tvalid;
  wire \axis__tvalid$54 ;
  wire clear;
  wire clk;
  wire done;
  wire early;
  wire [2:0] errors;
  wire first;
  wire \first$100 ;
  wire hold;
  wire hole;
  wire i__payload;
  wire [15:0] \i__payload$120 ;
  wire i__ready;
  wire \i__ready$123 ;
  wire i__valid;
  wire \i__valid$124 ;
  wire last;
  wire \last$101 ;
  wire \last$103 ;
  wire [63:0] m_axis__tdata;
  wire [7:0] m_axis__tkeep;
  wire m_axis__tlast;
  wire m_axis__tready;
  wire m_axis__tvalid;
  wire mark__payload;
  wire mark__ready;
  wire mark__valid;
  wire missing;
  wire o__payload;
  wire [95:0] \o__payload$115 ;
  wire o__ready;
  wire \o__ready$116 ;
  wire o__valid;
  wire \o__valid$119 ;
  wire [15:0] outward__payload;
  wire outward__ready;
  wire outward__valid;
  wire packet;
  wire rst;
  wire [7:0] s_axil__araddr;
  wire [2:0] s_axil__arprot;
  wire s_axil__arready;
  wire s_axil__arvalid;
  wire [7:0] s_axil__awaddr;
  wire [2:0] s_axil__awprot;
  wire s_axil__awready;
  wire s_axil__awvalid;
  wire s_axil__bready;
  wire [1:0] s_axil__bresp;
  wire s_axil__bvalid;
  wire [31:0] s_axil__rdata;
  wire s_axil__rready;
  wire [1:0] s_axil__rresp;
  wire s_axil__rvalid;
  wire [31:0] s_axil__wdata;
  wire s_axil__wready;
  wire [3:0] s_axil__wstrb;
  wire s_axil__wvalid;
  wire [63:0] s_axis__tdata;
  wire [7:0] s_axis__tkeep;
  wire s_axis__tlast;
  wire s_axis__tready;
  wire s_axis__tvalid;
  assign rst = ~ aresetn;
  assign hold = ~ i__ready;
  assign \$1  = rst | clear;
  \accelerator.axi_in  axi_in (
    .axis__tdata(s_axis_tdata),
    .axis__tkeep(s_axis_tkeep),
    .axis__tlast(s_axis_tlast),
    .axis__tready(s_axis__tready),
    .axis__tvalid(s_axis_tvalid),
    .clear(clear),
    .clk(aclk),
    .early(early),
    .first(first),
    .hold(hold),
    .hole(hole),
    .last(i__valid),
    .missing(missing),
    .o__ready(\o__ready$116 ),
    .o__valid(\$signature__valid ),
    .packet(i__payload),
    .\port$233$0 (\$2 ),
    .\port$241$0 (\$3 ),
    .rst(rst)
  );
  \accelerator.axi_out  axi_out (
    .axis__tlast(m_axis__tlast),
    .axis__tready(m_axis_tready),
    .axis__tvalid(m_axis__tvalid),
    .clear(clear),
    .clk(aclk),
    .i__payload(\i__payload$120 ),
    .i__ready(outward__ready),
    .i__valid(\i__valid$124 ),
    .last(done),
    .mark__payload(mark__payload),
    .mark__valid(mark__valid),
    .o__payload(m_axis__tdata),
    .\port$91$0 (\$4 ),
    .rst(rst)
  );
  core core (
    .clk(aclk),
    .i_payload({ \$2 , \$3  }),
    .i_ready(\o__ready$116 ),
    .i_valid(\$signature__valid ),
    .o_payload(\i__payload$120 ),
    .o_ready(outward__ready),
    .o_valid(\i__valid$124 ),
    .rst(\$1 )
  );
  \accelerator.marks  marks (
    .clear(clear),
    .clk(aclk),
    .i__ready(i__ready),
    .i__valid(i__valid),
    .o__payload(mark__payload),
    .o__ready(done),
    .o__valid(mark__valid),
    .rst(rst),
    .write__data(i__payload)
  );
  \accelerator.registers  registers (
    .axil__araddr(s_axil_araddr),
    .axil__arready(s_axil__arready),
    .axil__arvalid(s_axil_arvalid),
    .axil__awaddr(s_axil_awaddr),
    .axil__awready(s_axil__awready),
    .axil__awvalid(s_axil_awvalid),
    .axil__bready(s_axil_bready),
    .axil__bvalid(s_axil__bvalid),
    .axil__rdata(s_axil__rdata),
    .axil__rready(s_axil_rready),
    .axil__rvalid(s_axil__rvalid),
    .axil__wdata(s_axil_wdata),
    .axil__wready(s_axil__wready),
    .axil__wstrb(s_axil_wstrb),
    .axil__wvalid(s_axil_wvalid),
    .clear(clear),
    .clk(aclk),
    .\errors$51 (errors),
    .i__valid(first),
    .last(i__valid),
    .o__ready(done),
    .rst(rst)
  );
  assign clk = aclk;
  assign \$signal  = aclk;
  assign \$signal$34  = aresetn;
  assign axis__tdata = s_axis_tdata;
  assign s_axis__tdata = s_axis_tdata;
  assign axis__tkeep = s_axis_tkeep;
  assign s_axis__tkeep = s_axis_tkeep;
  assign axis__tlast = s_axis_tlast;
  assign s_axis__tlast = s_axis_tlast;
  assign axis__tready = s_axis__tready;
  assign axis__tvalid = s_axis_tvalid;
  assign s_axis__tvalid = s_axis_tvalid;
  assign \axis__tdata$46  = m_axis__tdata;
  assign m_axis__tkeep = { \$4 [2], \$4 [2], \$4 [2], \$4 [2], \$4 [2], \$4  };
  assign \axis__tkeep$48  = { \$4 [2], \$4 [2], \$4 [2], \$4 [2], \$4 [2], \$4  };
  assign \axis__tlast$50  = m_axis__tlast;
  assign \axis__tready$51  = m_axis_tready;
  assign m_axis__tready = m_axis_tready;
  assign \axis__tvalid$54  = m_axis__tvalid;
  assign axil__araddr = s_axil_araddr;
  assign s_axil__araddr = s_axil_araddr;
  assign axil__arprot = s_axil_arprot;
  assign s_axil__arprot = s_axil_arprot;
  assign axil__arready = s_axil__arready;
  assign axil__arvalid = s_axil_arvalid;
  assign s_axil__arvalid = s_axil_arvalid;
  assign axil__awaddr = s_axil_awaddr;
  assign s_axil__awaddr = s_axil_awaddr;
  assign axil__awprot = s_axil_awprot;
  assign s_axil__awprot = s_axil_awprot;
  assign axil__awready = s_axil__awready;
  assign axil__awvalid = s_axil_awvalid;
  assign s_axil__awvalid = s_axil_awvalid;
  assign axil__bready = s_axil_bready;
  assign s_axil__bready = s_axil_bready;
  assign s_axil__bresp = 2'h0;
  assign axil__bresp = 2'h0;
  assign axil__bvalid = s_axil__bvalid;
  assign axil__rdata = s_axil__rdata;
  assign axil__rready = s_axil_rready;
  assign s_axil__rready = s_axil_rready;
  assign s_axil__rresp = 2'h0;
  assign axil__rresp = 2'h0;
  assign axil__rvalid = s_axil__rvalid;
  assign axil__wdata = s_axil_wdata;
  assign s_axil__wdata = s_axil_wdata;
  assign axil__wready = s_axil__wready;
  assign axil__wstrb = s_axil_wstrb;
  assign s_axil__wstrb = s_axil_wstrb;
  assign axil__wvalid = s_axil_wvalid;
  assign s_axil__wvalid = s_axil_wvalid;
  assign last = i__valid;
  assign packet = i__payload;
  assign \first$100  = first;
  assign \last$101  = i__valid;
  assign \last$103  = done;
  assign o__payload = mark__payload;
  assign o__ready = done;
  assign mark__ready = done;
  assign o__valid = mark__valid;
  assign \$signature__payload  = { \$2 , \$3  };
  assign \o__payload$115  = { \$2 , \$3  };
  assign \$signature__ready  = \o__ready$116 ;
  assign \o__valid$119  = \$signature__valid ;
  assign outward__payload = \i__payload$120 ;
  assign \i__ready$123  = outward__ready;
  assign outward__valid = \i__valid$124 ;
  assign s_axis_tready = s_axis__tready;
  assign m_axis_tdata = m_axis__tdata;
  assign m_axis_tkeep = { \$4 [2], \$4 [2], \$4 [2], \$4 [2], \$4 [2], \$4  };
  assign m_axis_tlast = m_axis__tlast;
  assign m_axis_tvalid = m_axis__tvalid;
  assign s_axil_bresp = 2'h0;
  assign s_axil_rdata = s_axil__rdata;
  assign s_axil_rresp = 2'h0;
  assign s_axil_awready = s_axil__awready;
  assign s_axil_wready = s_axil__wready;
  assign s_axil_arready = s_axil__arready;
  assign s_axil_bvalid = s_axil__bvalid;
  assign s_axil_rvalid = s_axil__rvalid;
  assign errors[2] = hole;
  assign errors[1] = missing;
  assign errors[0] = early;
endmodule

module \accelerator.axi_in (axis__tdata, axis__tkeep, axis__tlast, axis__tvalid, rst, hold, axis__tready, first, last, packet, early, missing, hole, o__valid, clear, o__ready, \port$233$0 , \port$241$0 , clk);
  reg \$initial  = 0;
  input [63:0] axis__tdata;
  wire [63:0] axis__tdata;
  input [7:0] axis__tkeep;
  wire [7:0] axis__tkeep;
  input axis__tlast;
  wire axis__tlast;
  input axis__tvalid;
  wire axis__tvalid;
  input rst;
  wire rst;
  input hold;
  wire hold;
  output axis__tready;
  wire axis__tready;
  output first;
  wire first;
  output last;
  wire last;
  output packet;
  wire packet;
  output early;
  wire early;
  output missing;
  wire missing;
  output hole;
  wire hole;
  output o__valid;
  wire o__valid;
  input clear;
  wire clear;
  input o__ready;
  wire o__ready;
  output [31:0] \port$233$0 ;
  wire [31:0] \port$233$0 ;
  output [63:0] \port$241$0 ;
  wire [63:0] \port$241$0 ;
  input clk;
  wire clk;
  wire \$1 ;
  wire \$10 ;
  wire \$11 ;
  wire \$12 ;
  wire \$13 ;
  wire \$14 ;
  wire \$15 ;
  wire \$16 ;
  wire \$17 ;
  wire \$18 ;
  wire \$19 ;
  wire \$2 ;
  wire \$20 ;
  wire \$21 ;
  wire \$22 ;
  wire [7:0] \$23 ;
  wire [7:0] \$24 ;
  wire [7:0] \$25 ;
  wire [7:0] \$26 ;
  wire [7:0] \$27 ;
  wire [7:0] \$28 ;
  wire [7:0] \$29 ;
  wire \$3 ;
  wire [7:0] \$30 ;
  wire \$31 ;
  wire [1:0] \$32 ;
  wire [1:0] \$33 ;
  wire \$34 ;
  wire \$35 ;
  wire \$36 ;
  wire \$37 ;
  reg \$38 ;
  reg \$39 ;
  wire \$4 ;
  wire [63:0] \$40 ;
  wire \$5 ;
  wire \$6 ;
  wire \$7 ;
  wire \$8 ;
  wire \$9 ;
  wire \$signal ;
  reg count = 1'h0;
  reg filling = 1'h0;
  wire [63:0] i__payload;
  wire i__ready;
  wire i__valid;
  wire moved;
  wire [95:0] o__payload;
  wire [95:0] \o__payload$1 ;
  wire \o__ready$3 ;
  wire \o__valid$5 ;
  assign \$1  = axis__tvalid | filling;
  assign \$3  = \$2  & hold;
  assign \$4  = ~ \$3 ;
  assign i__valid = \$1  & \$4 ;
  assign \$5  = ~ filling;
  assign \$6  = i__ready & \$5 ;
  assign \$8  = \$7  & hold;
  assign \$9  = ~ \$8 ;
  assign axis__tready = \$6  & \$9 ;
  assign moved = i__valid & i__ready;
  assign \$signal  = axis__tvalid & axis__tready;
  assign \$10  = ! count;
  assign first = moved & \$10 ;
  assign last = moved & \$11 ;
  assign packet = axis__tlast | filling;
  assign \$13  = ~ \$12 ;
  assign \$14  = \$signal  & \$13 ;
  assign early = \$14  & axis__tlast;
  assign \$16  = \$signal  & \$15 ;
  assign \$17  = ~ axis__tlast;
  assign missing = \$16  & \$17 ;
  assign \$19  = ~ \$18 ;
  assign \$20  = \$signal  & \$19 ;
  assign \$21  = & axis__tkeep;
  assign \$22  = ~ \$21 ;
  assign hole = \$20  & \$22 ;
  assign \$23  = filling ? 8'h00 : axis__tdata[7:0];
  assign \$24  = filling ? 8'h00 : axis__tdata[15:8];
  assign \$25  = filling ? 8'h00 : axis__tdata[23:16];
  assign \$26  = filling ? 8'h00 : axis__tdata[31:24];
  assign \$27  = filling ? 8'h00 : axis__tdata[39:32];
  assign \$28  = filling ? 8'h00 : axis__tdata[47:40];
  assign \$29  = filling ? 8'h00 : axis__tdata[55:48];
  assign \$30  = filling ? 8'h00 : axis__tdata[63:56];
  assign \$32  = count + 1'h1;
  assign \$33  = \$31  ? 2'h0 : \$32 ;
  assign \$34  = filling | early;
  assign \$36  = ~ \$35 ;
  assign \$37  = \$34  & \$36 ;
  always @(posedge clk)
    count <= \$38 ;
  always @(posedge clk)
    filling <= \$39 ;
  \accelerator.axi_in.gearbox  gearbox (
    .clear(clear),
    .clk(clk),
    .held(\$40 ),
    .i__payload(i__payload),
    .i__ready(i__ready),
    .i_valid(i__valid),
    .o__valid(o__valid),
    .o_ready(o__ready),
    .rst(rst)
  );
  always @* begin
    if (\$initial ) begin end
    \$38  = count;
    if (moved) begin
      \$38  = \$33 [0];
    end
    if (clear) begin
      \$38  = 1'h0;
    end
    if (rst) begin
      \$38  = 1'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$39  = filling;
    if (moved) begin
      \$39  = \$37 ;
    end
    if (clear) begin
      \$39  = 1'h0;
    end
    if (rst) begin
      \$39  = 1'h0;
    end
  end
  assign o__payload = { i__payload[31:0], \$40  };
  assign \o__payload$1  = { i__payload[31:0], \$40  };
  assign \o__ready$3  = o__ready;
  assign \o__valid$5  = o__valid;
  assign \port$233$0  = i__payload[31:0];
  assign \port$241$0  = \$40 ;
  assign i__payload[63:56] = \$30 ;
  assign i__payload[55:48] = \$29 ;
  assign i__payload[47:40] = \$28 ;
  assign i__payload[39:32] = \$27 ;
  assign i__payload[31:24] = \$26 ;
  assign i__payload[23:16] = \$25 ;
  assign i__payload[15:8] = \$24 ;
  assign i__payload[7:0] = \$23 ;
  assign \$2  = count;
  assign \$7  = count;
  assign \$11  = count;
  assign \$12  = count;
  assign \$15  = count;
  assign \$18  = count;
  assign \$31  = count;
  assign \$35  = count;
endmodule

module \accelerator.axi_in.gearbox (rst, i_valid, i__ready, o__valid, clear, o_ready, i__payload, held, clk);
  reg \$initial  = 0;
  input rst;
  wire rst;
  input i_valid;
  wire i_valid;
  output i__ready;
  wire i__ready;
  output o__valid;
  wire o__valid;
  input clear;
  wire clear;
  input o_ready;
  wire o_ready;
  input [63:0] i__payload;
  wire [63:0] i__payload;
  output [63:0] held;
  reg [63:0] held = 64'h0000000000000000;
  input clk;
  wire clk;
  reg [63:0] \$1 ;
  wire consume;
  wire emit;
  wire i__valid;
  wire i_ready;
  wire index_0;
  wire issue;
  wire [95:0] o__payload;
  wire o__ready;
  wire o_valid;
  always @(posedge clk)
    held <= \$1 ;
  \accelerator.axi_in.gearbox.sequence  \sequence  (
    .clear(clear),
    .clk(clk),
    .emit(emit),
    .i_ready(i__ready),
    .i_valid(i_valid),
    .index_0(index_0),
    .issue(issue),
    .o_ready(o_ready),
    .o_valid(o__valid),
    .rst(rst)
  );
  always @* begin
    if (\$initial ) begin end
    \$1  = held;
    if (issue) begin
      \$1  = i__payload;
    end
  end
  assign consume = 1'h1;
  assign i__valid = i_valid;
  assign i_ready = i__ready;
  assign o_valid = o__valid;
  assign o__ready = o_ready;
  assign o__payload = { i__payload[31:0], held };
  assign emit = index_0;
endmodule

module \accelerator.axi_in.gearbox.sequence (rst, i_valid, emit, i_ready, issue, o_valid, clear, o_ready, index_0, clk);
  reg \$initial  = 0;
  input rst;
  wire rst;
  input i_valid;
  wire i_valid;
  input emit;
  wire emit;
  output i_ready;
  wire i_ready;
  output issue;
  wire issue;
  output o_valid;
  wire o_valid;
  input clear;
  wire clear;
  input o_ready;
  wire o_ready;
  output index_0;
  reg index_0 = 1'h0;
  input clk;
  wire clk;
  wire \$1 ;
  wire \$10 ;
  reg \$11 ;
  wire \$2 ;
  wire \$3 ;
  wire \$4 ;
  wire \$5 ;
  wire \$6 ;
  wire \$7 ;
  wire \$8 ;
  wire [1:0] \$9 ;
  wire ce;
  wire consume;
  assign \$1  = ~ emit;
  assign \$2  = o_ready | \$1 ;
  assign \$3  = ~ emit;
  assign \$4  = o_ready | \$3 ;
  assign issue = \$4  & \$6 ;
  assign o_valid = emit & \$8 ;
  assign \$9  = index_0 + 1'h1;
  always @(posedge clk)
    index_0 <= \$11 ;
  always @* begin
    if (\$initial ) begin end
    \$11  = index_0;
    if (issue) begin
      \$11  = \$9 [0];
      if (\$10 ) begin
        \$11  = 1'h0;
      end
    end
    if (clear) begin
      \$11  = 1'h0;
    end
    if (rst) begin
      \$11  = 1'h0;
    end
  end
  assign consume = 1'h1;
  assign ce = issue;
  assign i_ready = \$2 ;
  assign \$5  = 1'h0;
  assign \$6  = i_valid;
  assign \$7  = 1'h0;
  assign \$8  = i_valid;
  assign \$10  = index_0;
endmodule

module \accelerator.axi_out (axis__tready, rst, axis__tvalid, last, axis__tlast, \port$91$0 , i__ready, mark__valid, mark__payload, clear, i__payload, i__valid, o__payload, clk);
  reg \$initial  = 0;
  input axis__tready;
  wire axis__tready;
  input rst;
  wire rst;
  output axis__tvalid;
  wire axis__tvalid;
  output last;
  wire last;
  output axis__tlast;
  wire axis__tlast;
  output [2:0] \port$91$0 ;
  wire [2:0] \port$91$0 ;
  output i__ready;
  wire i__ready;
  input mark__valid;
  wire mark__valid;
  input mark__payload;
  wire mark__payload;
  input clear;
  wire clear;
  input [15:0] i__payload;
  wire [15:0] i__payload;
  input i__valid;
  wire i__valid;
  output [63:0] o__payload;
  wire [63:0] o__payload;
  input clk;
  wire clk;
  wire \$1 ;
  wire [2:0] \$10 ;
  wire \$11 ;
  wire \$12 ;
  wire [1:0] \$13 ;
  wire [1:0] \$14 ;
  reg \$15 ;
  wire \$2 ;
  wire \$3 ;
  wire \$4 ;
  wire \$5 ;
  wire \$6 ;
  wire \$7 ;
  wire \$8 ;
  wire \$9 ;
  wire [63:0] axis__tdata;
  wire [7:0] axis__tkeep;
  reg count = 1'h0;
  wire [15:0] \i__payload$1 ;
  wire \i__ready$3 ;
  wire \i__valid$5 ;
  wire mark__ready;
  wire o__ready;
  wire o__valid;
  wire [3:0] slot_0;
  wire [3:0] slot_1;
  wire [3:0] slot_10;
  wire [3:0] slot_11;
  wire [3:0] slot_12;
  wire [3:0] slot_13;
  wire [3:0] slot_14;
  wire [3:0] slot_15;
  wire [3:0] slot_2;
  wire [3:0] slot_3;
  wire [3:0] slot_4;
  wire [3:0] slot_5;
  wire [3:0] slot_6;
  wire [3:0] slot_7;
  wire [3:0] slot_8;
  wire [3:0] slot_9;
  assign \$1  = ! count;
  assign \$3  = mark__valid | \$2 ;
  assign axis__tvalid = o__valid & \$3 ;
  assign \$4  = ! count;
  assign \$6  = mark__valid | \$5 ;
  assign o__ready = axis__tready & \$6 ;
  assign \$7  = axis__tvalid & axis__tready;
  assign \$8  = ! count;
  assign last = \$7  & \$8 ;
  assign \$9  = ! count;
  assign axis__tlast = \$9  & mark__payload;
  assign \$10  = axis__tlast ? 3'h3 : 3'h7;
  assign \$11  = axis__tvalid & axis__tready;
  assign \$12  = ! count;
  assign \$13  = count + 1'h1;
  assign \$14  = count ? \$13  : 2'h0;
  always @(posedge clk)
    count <= \$15 ;
  \accelerator.axi_out.gearbox  gearbox (
    .clear(clear),
    .clk(clk),
    .i__payload(i__payload),
    .i__ready(i__ready),
    .i_valid(i__valid),
    .o__payload(o__payload),
    .o__valid(o__valid),
    .o_ready(o__ready),
    .rst(rst)
  );
  always @* begin
    if (\$initial ) begin end
    \$15  = count;
    if (\$11 ) begin
      \$15  = \$14 [0];
    end
    if (clear) begin
      \$15  = 1'h0;
    end
    if (rst) begin
      \$15  = 1'h0;
    end
  end
  assign \i__payload$1  = i__payload;
  assign \i__ready$3  = i__ready;
  assign \i__valid$5  = i__valid;
  assign mark__ready = last;
  assign axis__tkeep = { \$10 [2], \$10 [2], \$10 [2], \$10 [2], \$10 [2], \$10  };
  assign slot_0 = o__payload[3:0];
  assign slot_1 = o__payload[7:4];
  assign slot_2 = o__payload[11:8];
  assign slot_3 = o__payload[15:12];
  assign slot_4 = o__payload[19:16];
  assign slot_5 = o__payload[23:20];
  assign slot_6 = o__payload[27:24];
  assign slot_7 = o__payload[31:28];
  assign slot_8 = o__payload[35:32];
  assign slot_9 = o__payload[39:36];
  assign slot_10 = o__payload[43:40];
  assign slot_11 = o__payload[47:44];
  assign slot_12 = o__payload[51:48];
  assign slot_13 = o__payload[55:52];
  assign slot_14 = o__payload[59:56];
  assign slot_15 = o__payload[63:60];
  assign axis__tdata = o__payload;
  assign \port$91$0  = \$10 ;
  assign \$2  = count;
  assign \$5  = count;
endmodule

module \accelerator.axi_out.gearbox (rst, o_ready, i__ready, clear, i__payload, i_valid, o__payload, o__valid, clk);
  reg \$initial  = 0;
  input rst;
  wire rst;
  input o_ready;
  wire o_ready;
  output i__ready;
  wire i__ready;
  input clear;
  wire clear;
  input [15:0] i__payload;
  wire [15:0] i__payload;
  input i_valid;
  wire i_valid;
  output [63:0] o__payload;
  reg [63:0] o__payload = 64'h0000000000000000;
  output o__valid;
  wire o__valid;
  input clk;
  wire clk;
  wire [3:0] \$1 ;
  wire [3:0] \$10 ;
  wire [3:0] \$11 ;
  wire [3:0] \$12 ;
  reg [63:0] \$13 ;
  wire [3:0] \$2 ;
  wire [3:0] \$3 ;
  wire [3:0] \$4 ;
  wire [3:0] \$5 ;
  wire [3:0] \$6 ;
  wire [3:0] \$7 ;
  wire [3:0] \$8 ;
  wire [3:0] \$9 ;
  wire consume;
  wire emit;
  wire i__valid;
  wire i_ready;
  wire issue;
  wire [3:0] joined_0;
  wire [3:0] joined_1;
  wire [3:0] joined_10;
  wire [3:0] joined_11;
  wire [3:0] joined_12;
  wire [3:0] joined_13;
  wire [3:0] joined_14;
  wire [3:0] joined_15;
  wire [3:0] joined_2;
  wire [3:0] joined_3;
  wire [3:0] joined_4;
  wire [3:0] joined_5;
  wire [3:0] joined_6;
  wire [3:0] joined_7;
  wire [3:0] joined_8;
  wire [3:0] joined_9;
  wire o__ready;
  wire o_valid;
  always @(posedge clk)
    o__payload <= \$13 ;
  \accelerator.axi_out.gearbox.sequence  \sequence  (
    .clear(clear),
    .clk(clk),
    .i_ready(i__ready),
    .i_valid(i_valid),
    .issue(issue),
    .o_ready(o_ready),
    .o_valid(o__valid),
    .rst(rst)
  );
  always @* begin
    if (\$initial ) begin end
    \$13  = o__payload;
    if (issue) begin
      \$13 [3:0] = joined_0;
      \$13 [7:4] = joined_1;
      \$13 [11:8] = joined_2;
      \$13 [15:12] = joined_3;
      \$13 [19:16] = \$1 ;
      \$13 [23:20] = \$2 ;
      \$13 [27:24] = \$3 ;
      \$13 [31:28] = \$4 ;
      \$13 [35:32] = \$5 ;
      \$13 [39:36] = \$6 ;
      \$13 [43:40] = \$7 ;
      \$13 [47:44] = \$8 ;
      \$13 [51:48] = \$9 ;
      \$13 [55:52] = \$10 ;
      \$13 [59:56] = \$11 ;
      \$13 [63:60] = \$12 ;
    end
    if (clear) begin
      \$13  = 64'h0000000000000000;
    end
    if (rst) begin
      \$13  = 64'h0000000000000000;
    end
  end
  assign consume = 1'h1;
  assign emit = 1'h1;
  assign i__valid = i_valid;
  assign i_ready = i__ready;
  assign o_valid = o__valid;
  assign o__ready = o_ready;
  assign joined_15 = 4'h0;
  assign joined_14 = 4'h0;
  assign joined_13 = 4'h0;
  assign joined_12 = 4'h0;
  assign joined_11 = 4'h0;
  assign joined_10 = 4'h0;
  assign joined_9 = 4'h0;
  assign joined_8 = 4'h0;
  assign joined_7 = 4'h0;
  assign joined_6 = 4'h0;
  assign joined_5 = 4'h0;
  assign joined_4 = 4'h0;
  assign joined_3 = i__payload[15:12];
  assign joined_2 = i__payload[11:8];
  assign joined_1 = i__payload[7:4];
  assign joined_0 = i__payload[3:0];
  assign \$1  = 4'h0;
  assign \$2  = 4'h0;
  assign \$3  = 4'h0;
  assign \$4  = 4'h0;
  assign \$5  = 4'h0;
  assign \$6  = 4'h0;
  assign \$7  = 4'h0;
  assign \$8  = 4'h0;
  assign \$9  = 4'h0;
  assign \$10  = 4'h0;
  assign \$11  = 4'h0;
  assign \$12  = 4'h0;
endmodule

module \accelerator.axi_out.gearbox.sequence (rst, o_ready, i_ready, issue, clear, i_valid, o_valid, clk);
  reg \$initial  = 0;
  input rst;
  wire rst;
  input o_ready;
  wire o_ready;
  output i_ready;
  wire i_ready;
  output issue;
  wire issue;
  input clear;
  wire clear;
  input i_valid;
  wire i_valid;
  output o_valid;
  reg o_valid = 1'h0;
  input clk;
  wire clk;
  wire \$1 ;
  wire \$2 ;
  wire \$3 ;
  wire \$4 ;
  reg \$5 ;
  wire ce;
  wire consume;
  wire emit;
  (* init = 1'h0 *)
  wire tokens;
  assign \$3  = ~ o_valid;
  assign ce = \$3  | o_ready;
  always @(posedge clk)
    o_valid <= \$5 ;
  assign issue = ce & \$2 ;
  always @* begin
    if (\$initial ) begin end
    \$5  = o_valid;
    if (ce) begin
      \$5  = \$4 ;
    end
    if (clear) begin
      \$5  = 1'h0;
    end
    if (rst) begin
      \$5  = 1'h0;
    end
  end
  assign consume = 1'h1;
  assign tokens = o_valid;
  assign emit = 1'h1;
  assign i_ready = ce;
  assign \$1  = 1'h0;
  assign \$2  = i_valid;
  assign \$4  = issue;
endmodule

module \accelerator.marks (rst, i__valid, write__data, o__ready, i__ready, o__valid, o__payload, clear, clk);
  reg \$initial  = 0;
  input rst;
  wire rst;
  input i__valid;
  wire i__valid;
  input write__data;
  wire write__data;
  input o__ready;
  wire o__ready;
  output i__ready;
  wire i__ready;
  output o__valid;
  wire o__valid;
  output o__payload;
  wire o__payload;
  input clear;
  wire clear;
  input clk;
  wire clk;
  wire [5:0] \$1 ;
  wire [6:0] \$2 ;
  wire [4:0] \$3 ;
  wire \$4 ;
  wire [4:0] \$5 ;
  wire \$6 ;
  reg [4:0] \$7 ;
  reg [3:0] \$8 ;
  reg [3:0] \$9 ;
  wire \$signal ;
  (* init = 4'h0 *)
  wire [3:0] count;
  (* init = 4'h0 *)
  wire [3:0] \count$15 ;
  wire get;
  wire i__payload;
  reg [4:0] level = 5'h00;
  reg [3:0] read__addr = 4'h0;
  wire read__data;
  reg [3:0] write__addr = 4'h0;
  wire write__en;
  (* ram_style = "distributed" *)
  reg [0:0] memory [15:0];
  initial begin
    memory[0] = 1'h0;
    memory[1] = 1'h0;
    memory[2] = 1'h0;
    memory[3] = 1'h0;
    memory[4] = 1'h0;
    memory[5] = 1'h0;
    memory[6] = 1'h0;
    memory[7] = 1'h0;
    memory[8] = 1'h0;
    memory[9] = 1'h0;
    memory[10] = 1'h0;
    memory[11] = 1'h0;
    memory[12] = 1'h0;
    memory[13] = 1'h0;
    memory[14] = 1'h0;
    memory[15] = 1'h0;
  end
  always @(posedge clk) begin
    if (\$signal )
      memory[write__addr] <= write__data;
  end
  assign o__payload = memory[read__addr];
  assign i__ready = level != 5'h10;
  assign \$signal  = i__valid & i__ready;
  assign o__valid = | level;
  assign get = o__valid & o__ready;
  assign \$1  = level + \$signal ;
  assign \$2  = \$1  - get;
  assign \$3  = write__addr + 1'h1;
  assign \$4  = write__addr == 4'hf;
  assign \$5  = read__addr + 1'h1;
  assign \$6  = read__addr == 4'hf;
  always @(posedge clk)
    level <= \$7 ;
  always @(posedge clk)
    write__addr <= \$8 ;
  always @(posedge clk)
    read__addr <= \$9 ;
  always @* begin
    if (\$initial ) begin end
    \$7  = \$2 [4:0];
    if (clear) begin
      \$7  = 5'h00;
    end
    if (rst) begin
      \$7  = 5'h00;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$8  = write__addr;
    if (\$signal ) begin
      \$8  = \$3 [3:0];
      if (\$4 ) begin
        \$8  = 4'h0;
      end
    end
    if (clear) begin
      \$8  = 4'h0;
    end
    if (rst) begin
      \$8  = 4'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$9  = read__addr;
    if (get) begin
      \$9  = \$5 [3:0];
      if (\$6 ) begin
        \$9  = 4'h0;
      end
    end
    if (clear) begin
      \$9  = 4'h0;
    end
    if (rst) begin
      \$9  = 4'h0;
    end
  end
  assign i__payload = write__data;
  assign write__en = \$signal ;
  assign read__data = o__payload;
  assign count = write__addr;
  assign \count$15  = read__addr;
endmodule

module \accelerator.registers (axil__awaddr, axil__araddr, axil__wdata, axil__wstrb, axil__awvalid, axil__wvalid, axil__arvalid, axil__bready, axil__rready, rst, i__valid, last, o__ready, axil__awready, axil__wready, axil__arready, clear, \errors$51 , axil__bvalid, axil__rvalid, axil__rdata
, clk);
  reg \$initial  = 0;
  input [7:0] axil__awaddr;
  wire [7:0] axil__awaddr;
  input [7:0] axil__araddr;
  wire [7:0] axil__araddr;
  input [31:0] axil__wdata;
  wire [31:0] axil__wdata;
  input [3:0] axil__wstrb;
  wire [3:0] axil__wstrb;
  input axil__awvalid;
  wire axil__awvalid;
  input axil__wvalid;
  wire axil__wvalid;
  input axil__arvalid;
  wire axil__arvalid;
  input axil__bready;
  wire axil__bready;
  input axil__rready;
  wire axil__rready;
  input rst;
  wire rst;
  input i__valid;
  wire i__valid;
  input last;
  wire last;
  input o__ready;
  wire o__ready;
  output axil__awready;
  wire axil__awready;
  output axil__wready;
  wire axil__wready;
  output axil__arready;
  wire axil__arready;
  output clear;
  wire clear;
  input [2:0] \errors$51 ;
  wire [2:0] \errors$51 ;
  output axil__bvalid;
  reg axil__bvalid = 1'h0;
  output axil__rvalid;
  reg axil__rvalid = 1'h0;
  output [31:0] axil__rdata;
  reg [31:0] axil__rdata = 32'd0;
  input clk;
  wire clk;
  wire \$1 ;
  wire [32:0] \$10 ;
  wire [32:0] \$11 ;
  wire \$12 ;
  wire \$13 ;
  wire \$14 ;
  wire [2:0] \$15 ;
  wire [2:0] \$16 ;
  wire [2:0] \$17 ;
  wire [2:0] \$18 ;
  reg [31:0] \$19 ;
  wire \$2 ;
  reg [31:0] \$20 ;
  reg [63:0] \$21 ;
  reg [31:0] \$22 ;
  reg \$23 ;
  reg [31:0] \$24 ;
  reg [31:0] \$25 ;
  reg [7:0] \$26 ;
  reg \$27 ;
  reg [31:0] \$28 ;
  reg [3:0] \$29 ;
  wire \$3 ;
  reg \$30 ;
  reg \$31 ;
  reg \$32 ;
  reg [31:0] \$33 ;
  reg [31:0] \$34 ;
  reg [2:0] \$35 ;
  wire \$4 ;
  wire \$5 ;
  wire \$6 ;
  wire [32:0] \$7 ;
  wire [32:0] \$8 ;
  wire [64:0] \$9 ;
  reg \$signal  = 1'h0;
  reg [31:0] \$signal$36  = 32'd0;
  reg [7:0] address = 8'h00;
  wire [1:0] axil__bresp;
  wire [1:0] axil__rresp;
  wire [31:0] build;
  wire [31:0] control;
  reg [63:0] cycles = 64'h0000000000000000;
  reg [31:0] cycles_hi = 32'd0;
  wire [31:0] cycles_lo;
  wire done;
  wire [31:0] errors;
  wire first;
  reg [2:0] flags = 3'h0;
  reg [31:0] frames_in = 32'd0;
  reg [31:0] frames_out = 32'd0;
  wire go;
  reg have_data = 1'h0;
  (* init = 32'd0 *)
  wire [31:0] high;
  wire [31:0] i__payload;
  wire [31:0] id;
  reg [31:0] interval = 32'd0;
  reg [31:0] latency = 32'd0;
  wire [31:0] o__payload;
  reg some = 1'h0;
  reg [3:0] strobe = 4'h0;
  wire [31:0] version;
  reg [31:0] wdata = 32'd0;
  wire write_control;
  wire write_errors;
  assign axil__awready = ~ \$signal ;
  assign axil__wready = ~ have_data;
  assign \$1  = \$signal  & have_data;
  assign \$2  = ~ axil__bvalid;
  assign go = \$1  & \$2 ;
  assign \$3  = address[7:2] == 3'h7;
  assign \$4  = go & \$3 ;
  assign write_errors = \$4  & strobe[0];
  assign \$5  = address[7:2] == 4'h8;
  assign \$6  = go & \$5 ;
  assign write_control = \$6  & strobe[0];
  assign axil__arready = ~ axil__rvalid;
  assign clear = write_control & wdata[0];
  assign \$7  = frames_in + 1'h1;
  assign \$8  = frames_out + 1'h1;
  assign \$9  = cycles + 1'h1;
  assign \$10  = cycles[31:0] - \$signal$36 ;
  assign \$11  = cycles[31:0] - o__payload;
  assign \$12  = axil__awvalid & axil__awready;
  assign \$13  = axil__wvalid & axil__wready;
  assign \$14  = axil__arvalid & axil__arready;
  assign \$15  = write_errors ? wdata[2:0] : 3'h0;
  assign \$16  = ~ \$15 ;
  assign \$17  = flags & \$16 ;
  assign \$18  = \$17  | \errors$51 ;
  always @(posedge clk)
    frames_in <= \$19 ;
  always @(posedge clk)
    frames_out <= \$20 ;
  always @(posedge clk)
    cycles <= \$21 ;
  always @(posedge clk)
    \$signal$36  <= \$22 ;
  always @(posedge clk)
    some <= \$23 ;
  always @(posedge clk)
    interval <= \$24 ;
  always @(posedge clk)
    latency <= \$25 ;
  always @(posedge clk)
    address <= \$26 ;
  always @(posedge clk)
    \$signal  <= \$27 ;
  always @(posedge clk)
    wdata <= \$28 ;
  always @(posedge clk)
    strobe <= \$29 ;
  always @(posedge clk)
    have_data <= \$30 ;
  always @(posedge clk)
    axil__bvalid <= \$31 ;
  always @(posedge clk)
    axil__rvalid <= \$32 ;
  always @(posedge clk)
    axil__rdata <= \$33 ;
  always @(posedge clk)
    cycles_hi <= \$34 ;
  always @(posedge clk)
    flags <= \$35 ;
  \accelerator.registers.stamps  stamps (
    .clk(clk),
    .i__valid(i__valid),
    .o__payload(o__payload),
    .o__ready(o__ready),
    .rst(rst),
    .write__data(cycles[31:0])
  );
  always @* begin
    if (\$initial ) begin end
    \$19  = frames_in;
    if (last) begin
      \$19  = \$7 [31:0];
    end
    if (rst) begin
      \$19  = 32'd0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$20  = frames_out;
    if (o__ready) begin
      \$20  = \$8 [31:0];
    end
    if (rst) begin
      \$20  = 32'd0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$21  = \$9 [63:0];
    if (rst) begin
      \$21  = 64'h0000000000000000;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$22  = \$signal$36 ;
    if (i__valid) begin
      \$22  = cycles[31:0];
    end
    if (rst) begin
      \$22  = 32'd0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$23  = some;
    if (i__valid) begin
      \$23  = 1'h1;
    end
    if (rst) begin
      \$23  = 1'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$24  = interval;
    if (i__valid) begin
      if (some) begin
        \$24  = \$10 [31:0];
      end
    end
    if (rst) begin
      \$24  = 32'd0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$25  = latency;
    if (o__ready) begin
      \$25  = \$11 [31:0];
    end
    if (rst) begin
      \$25  = 32'd0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$26  = address;
    if (\$12 ) begin
      \$26  = axil__awaddr;
    end
    if (rst) begin
      \$26  = 8'h00;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$27  = \$signal ;
    if (\$12 ) begin
      \$27  = 1'h1;
    end
    if (go) begin
      \$27  = 1'h0;
    end
    if (rst) begin
      \$27  = 1'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$28  = wdata;
    if (\$13 ) begin
      \$28  = axil__wdata;
    end
    if (rst) begin
      \$28  = 32'd0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$29  = strobe;
    if (\$13 ) begin
      \$29  = axil__wstrb;
    end
    if (rst) begin
      \$29  = 4'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$30  = have_data;
    if (\$13 ) begin
      \$30  = 1'h1;
    end
    if (go) begin
      \$30  = 1'h0;
    end
    if (rst) begin
      \$30  = 1'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$31  = axil__bvalid;
    if (go) begin
      \$31  = 1'h1;
    end else if (axil__bready) begin
      \$31  = 1'h0;
    end
    if (rst) begin
      \$31  = 1'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$32  = axil__rvalid;
    if (\$14 ) begin
      \$32  = 1'h1;
    end else if (axil__rready) begin
      \$32  = 1'h0;
    end
    if (rst) begin
      \$32  = 1'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$33  = axil__rdata;
    if (\$14 ) begin
      \$33  = 32'd0;
      casez (axil__araddr[7:2])
        6'h00:
            \$33  = 32'd1213679409;
        6'h01:
            \$33  = 32'd256;
        6'h02:
            \$33  = 32'd4173012659;
        6'h03:
            \$33  = frames_in;
        6'h04:
            \$33  = frames_out;
        6'h05:
            \$33  = cycles[31:0];
        6'h06:
            \$33  = cycles_hi;
        6'h07:
            \$33  = { 29'h00000000, flags };
        6'h08:
            \$33  = 32'd0;
        6'h09:
            \$33  = latency;
        6'h0a:
            \$33  = interval;
      endcase
    end
    if (rst) begin
      \$33  = 32'd0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$34  = cycles_hi;
    if (\$14 ) begin
      casez (axil__araddr[7:2])
        6'h00:
            /* empty */;
        6'h01:
            /* empty */;
        6'h02:
            /* empty */;
        6'h03:
            /* empty */;
        6'h04:
            /* empty */;
        6'h05:
            \$34  = cycles[63:32];
      endcase
    end
    if (rst) begin
      \$34  = 32'd0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$35  = \$18 ;
    if (rst) begin
      \$35  = 3'h0;
    end
  end
  assign id = 32'd1213679409;
  assign version = 32'd256;
  assign build = 32'd4173012659;
  assign control = 32'd0;
  assign cycles_lo = cycles[31:0];
  assign first = i__valid;
  assign i__payload = cycles[31:0];
  assign done = o__ready;
  assign axil__bresp = 2'h0;
  assign axil__rresp = 2'h0;
  assign high = cycles_hi;
  assign errors = { 29'h00000000, flags };
endmodule

module \accelerator.registers.stamps (rst, i__valid, o__ready, o__payload, write__data, clk);
  reg \$initial  = 0;
  input rst;
  wire rst;
  input i__valid;
  wire i__valid;
  input o__ready;
  wire o__ready;
  output [31:0] o__payload;
  wire [31:0] o__payload;
  input [31:0] write__data;
  wire [31:0] write__data;
  input clk;
  wire clk;
  wire [5:0] \$1 ;
  wire [6:0] \$2 ;
  wire [4:0] \$3 ;
  wire \$4 ;
  wire [4:0] \$5 ;
  wire \$6 ;
  reg [4:0] \$7 ;
  reg [3:0] \$8 ;
  reg [3:0] \$9 ;
  wire \$signal ;
  (* init = 4'h0 *)
  wire [3:0] count;
  (* init = 4'h0 *)
  wire [3:0] \count$15 ;
  wire get;
  wire [31:0] i__payload;
  wire i__ready;
  reg [4:0] level = 5'h00;
  wire o__valid;
  reg [3:0] read__addr = 4'h0;
  wire [31:0] read__data;
  reg [3:0] write__addr = 4'h0;
  wire write__en;
  (* ram_style = "distributed" *)
  reg [31:0] memory [15:0];
  initial begin
    memory[0] = 32'd0;
    memory[1] = 32'd0;
    memory[2] = 32'd0;
    memory[3] = 32'd0;
    memory[4] = 32'd0;
    memory[5] = 32'd0;
    memory[6] = 32'd0;
    memory[7] = 32'd0;
    memory[8] = 32'd0;
    memory[9] = 32'd0;
    memory[10] = 32'd0;
    memory[11] = 32'd0;
    memory[12] = 32'd0;
    memory[13] = 32'd0;
    memory[14] = 32'd0;
    memory[15] = 32'd0;
  end
  always @(posedge clk) begin
    if (\$signal )
      memory[write__addr] <= write__data;
  end
  assign o__payload = memory[read__addr];
  assign i__ready = level != 5'h10;
  assign \$signal  = i__valid & i__ready;
  assign o__valid = | level;
  assign get = o__valid & o__ready;
  assign \$1  = level + \$signal ;
  assign \$2  = \$1  - get;
  assign \$3  = write__addr + 1'h1;
  assign \$4  = write__addr == 4'hf;
  assign \$5  = read__addr + 1'h1;
  assign \$6  = read__addr == 4'hf;
  always @(posedge clk)
    level <= \$7 ;
  always @(posedge clk)
    write__addr <= \$8 ;
  always @(posedge clk)
    read__addr <= \$9 ;
  always @* begin
    if (\$initial ) begin end
    \$7  = \$2 [4:0];
    if (rst) begin
      \$7  = 5'h00;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$8  = write__addr;
    if (\$signal ) begin
      \$8  = \$3 [3:0];
      if (\$4 ) begin
        \$8  = 4'h0;
      end
    end
    if (rst) begin
      \$8  = 4'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$9  = read__addr;
    if (get) begin
      \$9  = \$5 [3:0];
      if (\$6 ) begin
        \$9  = 4'h0;
      end
    end
    if (rst) begin
      \$9  = 4'h0;
    end
  end
  assign i__payload = write__data;
  assign write__en = \$signal ;
  assign read__data = o__payload;
  assign count = write__addr;
  assign \count$15  = read__addr;
endmodule
