module core(i_valid, o_ready, clk, rst, i_ready, o_payload, o_valid, i_payload);
  input i_valid;
  wire i_valid;
  input o_ready;
  wire o_ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i_ready;
  wire i_ready;
  output [15:0] o_payload;
  wire [15:0] o_payload;
  output o_valid;
  wire o_valid;
  input [95:0] i_payload;
  wire [95:0] i_payload;
  wire [95:0] i__payload;
  wire i__ready;
  wire i__valid;
  wire [95:0] interface__i__payload;
  wire [11:0] \interface__i__payload$18 ;
  wire [1:0] \interface__i__payload$24 ;
  wire [19:0] \interface__i__payload$30 ;
  wire [63:0] \interface__i__payload$36 ;
  wire [7:0] \interface__i__payload$42 ;
  wire interface__i__ready;
  wire \interface__i__ready$17 ;
  wire \interface__i__ready$23 ;
  wire \interface__i__ready$29 ;
  wire \interface__i__ready$35 ;
  wire \interface__i__ready$41 ;
  wire interface__i__valid;
  wire \interface__i__valid$14 ;
  wire \interface__i__valid$20 ;
  wire \interface__i__valid$26 ;
  wire \interface__i__valid$32 ;
  wire \interface__i__valid$38 ;
  wire [11:0] interface__o__payload;
  wire [1:0] \interface__o__payload$25 ;
  wire [19:0] \interface__o__payload$31 ;
  wire [63:0] \interface__o__payload$37 ;
  wire [7:0] \interface__o__payload$43 ;
  wire [15:0] \interface__o__payload$49 ;
  wire interface__o__ready;
  wire \interface__o__ready$22 ;
  wire \interface__o__ready$28 ;
  wire \interface__o__ready$34 ;
  wire \interface__o__ready$40 ;
  wire \interface__o__ready$46 ;
  wire interface__o__valid;
  wire \interface__o__valid$21 ;
  wire \interface__o__valid$27 ;
  wire \interface__o__valid$33 ;
  wire \interface__o__valid$39 ;
  wire \interface__o__valid$45 ;
  wire [15:0] o__payload;
  wire o__ready;
  wire o__valid;
  convert_linear_4 convert_linear_4 (
    .clk(clk),
    .i__payload(\interface__i__payload$24 ),
    .i__ready(\interface__o__ready$22 ),
    .i__valid(\interface__i__valid$20 ),
    .o__payload(\interface__o__payload$31 ),
    .o__ready(\interface__o__ready$28 ),
    .o__valid(\interface__i__valid$26 ),
    .rst(rst)
  );
  layer_linear_1 layer_linear_1 (
    .clk(clk),
    .i__payload(interface__i__payload),
    .i__ready(i__ready),
    .i__valid(i_valid),
    .o__payload(\interface__i__payload$18 ),
    .o__ready(interface__o__ready),
    .o__valid(\interface__i__valid$14 ),
    .rst(rst)
  );
  layer_linear_4 layer_linear_4 (
    .clk(clk),
    .i__payload(\interface__i__payload$30 ),
    .i__ready(\interface__o__ready$28 ),
    .i__valid(\interface__i__valid$26 ),
    .o__payload(\interface__o__payload$37 ),
    .o__ready(\interface__o__ready$34 ),
    .o__valid(\interface__i__valid$32 ),
    .rst(rst)
  );
  layer_linear_7 layer_linear_7 (
    .clk(clk),
    .i__payload(\interface__i__payload$42 ),
    .i__ready(\interface__o__ready$40 ),
    .i__valid(\interface__i__valid$38 ),
    .o__payload(\interface__o__payload$49 ),
    .o__ready(o_ready),
    .o__valid(o__valid),
    .rst(rst)
  );
  layer_quantize_3 layer_quantize_3 (
    .clk(clk),
    .i__payload(\interface__i__payload$18 ),
    .i__ready(interface__o__ready),
    .i__valid(\interface__i__valid$14 ),
    .o__payload(\interface__i__payload$24 ),
    .o__ready(\interface__o__ready$22 ),
    .o__valid(\interface__i__valid$20 ),
    .rst(rst)
  );
  layer_sign_6 layer_sign_6 (
    .clk(clk),
    .i__payload(\interface__i__payload$36 ),
    .i__ready(\interface__o__ready$34 ),
    .i__valid(\interface__i__valid$32 ),
    .o__payload(\interface__o__payload$43 ),
    .o__ready(\interface__o__ready$40 ),
    .o__valid(\interface__i__valid$38 ),
    .rst(rst)
  );
  assign interface__i__valid = i_valid;
  assign i__valid = i_valid;
  assign interface__i__ready = i__ready;
  assign i__payload = i_payload;
  assign interface__o__valid = \interface__i__valid$14 ;
  assign \interface__i__ready$17  = interface__o__ready;
  assign interface__o__payload = \interface__i__payload$18 ;
  assign \interface__o__valid$21  = \interface__i__valid$20 ;
  assign \interface__i__ready$23  = \interface__o__ready$22 ;
  assign \interface__o__payload$25  = \interface__i__payload$24 ;
  assign \interface__o__valid$27  = \interface__i__valid$26 ;
  assign \interface__i__ready$29  = \interface__o__ready$28 ;
  assign \interface__o__valid$33  = \interface__i__valid$32 ;
  assign \interface__i__ready$35  = \interface__o__ready$34 ;
  assign \interface__o__valid$39  = \interface__i__valid$38 ;
  assign \interface__i__ready$41  = \interface__o__ready$40 ;
  assign \interface__o__valid$45  = o__valid;
  assign \interface__o__ready$46  = o_ready;
  assign o__ready = o_ready;
  assign i_ready = i__ready;
  assign o_payload = o__payload;
  assign o_valid = o__valid;
  assign o__payload[15:12] = \interface__o__payload$49 [15:12];
  assign o__payload[11:8] = \interface__o__payload$49 [11:8];
  assign o__payload[7:4] = \interface__o__payload$49 [7:4];
  assign o__payload[3:0] = \interface__o__payload$49 [3:0];
  assign \interface__i__payload$42 [7] = \interface__o__payload$43 [7];
  assign \interface__i__payload$42 [6] = \interface__o__payload$43 [6];
  assign \interface__i__payload$42 [5] = \interface__o__payload$43 [5];
  assign \interface__i__payload$42 [4] = \interface__o__payload$43 [4];
  assign \interface__i__payload$42 [3] = \interface__o__payload$43 [3];
  assign \interface__i__payload$42 [2] = \interface__o__payload$43 [2];
  assign \interface__i__payload$42 [1] = \interface__o__payload$43 [1];
  assign \interface__i__payload$42 [0] = \interface__o__payload$43 [0];
  assign \interface__i__payload$36 [63:56] = \interface__o__payload$37 [63:56];
  assign \interface__i__payload$36 [55:48] = \interface__o__payload$37 [55:48];
  assign \interface__i__payload$36 [47:40] = \interface__o__payload$37 [47:40];
  assign \interface__i__payload$36 [39:32] = \interface__o__payload$37 [39:32];
  assign \interface__i__payload$36 [31:24] = \interface__o__payload$37 [31:24];
  assign \interface__i__payload$36 [23:16] = \interface__o__payload$37 [23:16];
  assign \interface__i__payload$36 [15:8] = \interface__o__payload$37 [15:8];
  assign \interface__i__payload$36 [7:0] = \interface__o__payload$37 [7:0];
  assign \interface__i__payload$30 [19:18] = \interface__o__payload$31 [19:18];
  assign \interface__i__payload$30 [17:16] = \interface__o__payload$31 [17:16];
  assign \interface__i__payload$30 [15:14] = \interface__o__payload$31 [15:14];
  assign \interface__i__payload$30 [13:12] = \interface__o__payload$31 [13:12];
  assign \interface__i__payload$30 [11:10] = \interface__o__payload$31 [11:10];
  assign \interface__i__payload$30 [9:8] = \interface__o__payload$31 [9:8];
  assign \interface__i__payload$30 [7:6] = \interface__o__payload$31 [7:6];
  assign \interface__i__payload$30 [5:4] = \interface__o__payload$31 [5:4];
  assign \interface__i__payload$30 [3:2] = \interface__o__payload$31 [3:2];
  assign \interface__i__payload$30 [1:0] = \interface__o__payload$31 [1:0];
  assign interface__i__payload[95:88] = i_payload[95:88];
  assign interface__i__payload[87:80] = i_payload[87:80];
  assign interface__i__payload[79:72] = i_payload[79:72];
  assign interface__i__payload[71:64] = i_payload[71:64];
  assign interface__i__payload[63:56] = i_payload[63:56];
  assign interface__i__payload[55:48] = i_payload[55:48];
  assign interface__i__payload[47:40] = i_payload[47:40];
  assign interface__i__payload[39:32] = i_payload[39:32];
  assign interface__i__payload[31:24] = i_payload[31:24];
  assign interface__i__payload[23:16] = i_payload[23:16];
  assign interface__i__payload[15:8] = i_payload[15:8];
  assign interface__i__payload[7:0] = i_payload[7:0];
endmodule

module layer_linear_1(i__valid, o__ready, clk, rst, i__ready, o__payload, o__valid, i__payload);
  reg \$initial  = 0;
  input i__valid;
  wire i__valid;
  input o__ready;
  wire o__ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i__ready;
  wire i__ready;
  output [11:0] o__payload;
  reg [11:0] o__payload = 12'h000;
  output o__valid;
  wire o__valid;
  input [95:0] i__payload;
  wire [95:0] i__payload;
  wire \$1 ;
  wire \$10 ;
  wire \$100 ;
  wire [8:0] \$101 ;
  wire [10:0] \$102 ;
  wire \$103 ;
  wire \$104 ;
  wire \$105 ;
  wire \$106 ;
  wire \$107 ;
  wire \$108 ;
  wire \$109 ;
  wire \$11 ;
  wire \$110 ;
  wire [7:0] \$111 ;
  wire [9:0] \$112 ;
  wire \$113 ;
  wire \$114 ;
  wire \$115 ;
  wire \$116 ;
  wire \$117 ;
  wire \$118 ;
  wire \$119 ;
  wire [7:0] \$12 ;
  wire \$120 ;
  wire [7:0] \$121 ;
  wire [9:0] \$122 ;
  wire \$123 ;
  wire \$124 ;
  wire \$125 ;
  wire \$126 ;
  wire \$127 ;
  wire \$128 ;
  wire \$129 ;
  wire \$13 ;
  wire \$130 ;
  wire \$131 ;
  wire [8:0] \$132 ;
  wire [10:0] \$133 ;
  wire \$134 ;
  wire \$135 ;
  wire \$136 ;
  wire \$137 ;
  wire \$138 ;
  wire \$139 ;
  wire \$14 ;
  wire \$140 ;
  wire \$141 ;
  wire \$142 ;
  wire \$143 ;
  wire [9:0] \$144 ;
  wire [11:0] \$145 ;
  wire \$146 ;
  wire \$147 ;
  wire \$148 ;
  wire \$149 ;
  wire [7:0] \$15 ;
  wire \$150 ;
  wire \$151 ;
  wire \$152 ;
  wire \$153 ;
  wire \$154 ;
  wire \$155 ;
  wire [9:0] \$156 ;
  wire [12:0] \$157 ;
  wire \$158 ;
  wire [11:0] \$159 ;
  wire \$16 ;
  wire [11:0] \$160 ;
  wire [12:0] \$161 ;
  reg [7:0] \$162 ;
  reg [7:0] \$163 ;
  reg [7:0] \$164 ;
  reg [7:0] \$165 ;
  reg [7:0] \$166 ;
  reg [7:0] \$167 ;
  reg [7:0] \$168 ;
  reg [7:0] \$169 ;
  wire \$17 ;
  reg [7:0] \$170 ;
  reg [7:0] \$171 ;
  reg [7:0] \$172 ;
  reg [7:0] \$173 ;
  reg \$174 ;
  reg [3:0] \$175 ;
  reg [9:0] \$176 ;
  reg [9:0] \$177 ;
  reg [9:0] \$178 ;
  reg \$179 ;
  wire [7:0] \$18 ;
  reg \$180 ;
  reg [11:0] \$181 ;
  reg \$182 ;
  reg \$183 ;
  reg [11:0] \$184 ;
  wire \$19 ;
  wire \$2 ;
  wire \$20 ;
  wire [7:0] \$21 ;
  wire \$22 ;
  wire \$23 ;
  wire [7:0] \$24 ;
  wire \$25 ;
  wire \$26 ;
  wire [7:0] \$27 ;
  wire \$28 ;
  wire \$29 ;
  wire [7:0] \$3 ;
  wire [7:0] \$30 ;
  wire \$31 ;
  wire \$32 ;
  wire [7:0] \$33 ;
  wire \$34 ;
  wire \$35 ;
  wire [7:0] \$36 ;
  wire \$37 ;
  wire \$38 ;
  wire [4:0] \$39 ;
  wire \$4 ;
  wire \$40 ;
  wire \$41 ;
  wire \$42 ;
  wire \$43 ;
  wire \$44 ;
  wire \$45 ;
  wire \$46 ;
  wire \$47 ;
  wire \$48 ;
  wire [7:0] \$49 ;
  wire \$5 ;
  wire [9:0] \$50 ;
  wire \$51 ;
  wire \$52 ;
  wire \$53 ;
  wire \$54 ;
  wire \$55 ;
  wire \$56 ;
  wire \$57 ;
  wire \$58 ;
  wire [7:0] \$59 ;
  wire [7:0] \$6 ;
  wire [9:0] \$60 ;
  wire \$61 ;
  wire \$62 ;
  wire \$63 ;
  wire \$64 ;
  wire \$65 ;
  wire \$66 ;
  wire \$67 ;
  wire \$68 ;
  wire \$69 ;
  wire \$7 ;
  wire [8:0] \$70 ;
  wire [10:0] \$71 ;
  wire \$72 ;
  wire \$73 ;
  wire \$74 ;
  wire \$75 ;
  wire \$76 ;
  wire \$77 ;
  wire \$78 ;
  wire \$79 ;
  wire \$8 ;
  wire [7:0] \$80 ;
  wire [9:0] \$81 ;
  wire \$82 ;
  wire \$83 ;
  wire \$84 ;
  wire \$85 ;
  wire \$86 ;
  wire \$87 ;
  wire \$88 ;
  wire \$89 ;
  wire [7:0] \$9 ;
  wire [7:0] \$90 ;
  wire [9:0] \$91 ;
  wire \$92 ;
  wire \$93 ;
  wire \$94 ;
  wire \$95 ;
  wire \$96 ;
  wire \$97 ;
  wire \$98 ;
  wire \$99 ;
  wire \$auto$rtlil.cc:3245:Not$10 ;
  wire \$auto$rtlil.cc:3245:Not$12 ;
  wire \$auto$rtlil.cc:3245:Not$14 ;
  wire \$auto$rtlil.cc:3245:Not$16 ;
  wire \$auto$rtlil.cc:3245:Not$18 ;
  wire \$auto$rtlil.cc:3245:Not$2 ;
  wire \$auto$rtlil.cc:3245:Not$20 ;
  wire \$auto$rtlil.cc:3245:Not$22 ;
  wire \$auto$rtlil.cc:3245:Not$24 ;
  wire \$auto$rtlil.cc:3245:Not$4 ;
  wire \$auto$rtlil.cc:3245:Not$6 ;
  wire \$auto$rtlil.cc:3245:Not$8 ;
  wire ce;
  wire consume;
  reg [9:0] delay_0 = 10'h000;
  reg [9:0] \delay_0$37  = 10'h000;
  reg [9:0] \delay_0$38  = 10'h000;
  reg \delay_0$39  = 1'h0;
  reg \delay_0$40  = 1'h0;
  reg [11:0] \delay_0$41  = 12'h000;
  reg \delay_0$42  = 1'h0;
  reg delay_1 = 1'h0;
  wire emit;
  reg first = 1'h1;
  wire i_ready;
  wire i_valid;
  wire [3:0] index_0;
  wire o_ready;
  wire o_valid;
  wire [3:0] port__addr;
  reg [3:0] \port__addr$18  = 4'h0;
  wire [11:0] port__data;
  wire [11:0] \port__data$44 ;
  wire port__en;
  reg [7:0] register = 8'h00;
  reg [7:0] \register$22  = 8'h00;
  reg [7:0] \register$23  = 8'h00;
  reg [7:0] \register$24  = 8'h00;
  reg [7:0] \register$25  = 8'h00;
  reg [7:0] \register$26  = 8'h00;
  reg [7:0] \register$27  = 8'h00;
  reg [7:0] \register$28  = 8'h00;
  reg [7:0] \register$29  = 8'h00;
  reg [7:0] \register$30  = 8'h00;
  reg [7:0] \register$31  = 8'h00;
  reg [7:0] \register$32  = 8'h00;
  (* init = 4'h0 *)
  wire [3:0] row;
  wire [3:0] tokens;
  (* init = 12'h000 *)
  wire [11:0] total_0;
  (* ram_block = "logic" *)
  (* rom_style = "distributed" *)
  reg [11:0] starts [9:0];
  initial begin
    starts[0] = 12'h607;
    starts[1] = 12'h601;
    starts[2] = 12'h607;
    starts[3] = 12'h5ff;
    starts[4] = 12'h5ff;
    starts[5] = 12'h9fa;
    starts[6] = 12'h9fa;
    starts[7] = 12'h9fc;
    starts[8] = 12'ha01;
    starts[9] = 12'h602;
  end
  assign \port__data$44  = starts[\port__addr$18 ];
  (* rom_style = "block" *)
  reg [11:0] weights [9:0];
  initial begin
    weights[0] = 12'h81d;
    weights[1] = 12'hfa2;
    weights[2] = 12'h84b;
    weights[3] = 12'hb4d;
    weights[4] = 12'hf58;
    weights[5] = 12'h146;
    weights[6] = 12'h53c;
    weights[7] = 12'h145;
    weights[8] = 12'h4c0;
    weights[9] = 12'h99f;
  end
  reg [11:0] _0_;
  always @(posedge clk) begin
    if (port__en) begin
      _0_ <= weights[index_0];
    end
  end
  assign port__data = _0_;
  assign consume = ! index_0;
  assign \$1  = ! index_0;
  assign \$2  = port__en & \$1 ;
  assign \$4  = ! index_0;
  assign \$5  = port__en & \$4 ;
  assign \$7  = ! index_0;
  assign \$8  = port__en & \$7 ;
  assign \$10  = ! index_0;
  assign \$11  = port__en & \$10 ;
  assign \$13  = ! index_0;
  assign \$14  = port__en & \$13 ;
  assign \$16  = ! index_0;
  assign \$17  = port__en & \$16 ;
  assign \$19  = ! index_0;
  assign \$20  = port__en & \$19 ;
  assign \$22  = ! index_0;
  assign \$23  = port__en & \$22 ;
  assign \$25  = ! index_0;
  assign \$26  = port__en & \$25 ;
  assign \$28  = ! index_0;
  assign \$29  = port__en & \$28 ;
  assign \$31  = ! index_0;
  assign \$32  = port__en & \$31 ;
  assign \$34  = ! index_0;
  assign \$35  = port__en & \$34 ;
  assign \$37  = port__en & tokens[2];
  assign \$38  = port__en & tokens[2];
  assign \$39  = \port__addr$18  + 1'h1;
  assign \$40  = \port__addr$18  == 4'h9;
  assign \$41  = ~ port__data[0];
  assign \$42  = ~ port__data[0];
  assign \$43  = ~ port__data[0];
  assign \$44  = ~ port__data[0];
  assign \$45  = ~ port__data[0];
  assign \$46  = ~ port__data[0];
  assign \$47  = ~ port__data[0];
  assign \$48  = ~ port__data[0];
  assign \$49  = \register$22  ^ { \$48 , \$47 , \$46 , \$45 , \$44 , \$43 , \$42 , \$41  };
  assign \$50  = $signed({ 1'h0, register }) - $signed({ 1'h1, \$49  });
  assign \$51  = ~ port__data[1];
  assign \$52  = ~ port__data[1];
  assign \$53  = ~ port__data[1];
  assign \$54  = ~ port__data[1];
  assign \$55  = ~ port__data[1];
  assign \$56  = ~ port__data[1];
  assign \$57  = ~ port__data[1];
  assign \$58  = ~ port__data[1];
  assign \$59  = \register$24  ^ { \$58 , \$57 , \$56 , \$55 , \$54 , \$53 , \$52 , \$51  };
  assign \$60  = $signed({ 1'h0, \register$23  }) - $signed({ 1'h1, \$59  });
  assign \$61  = ~ port__data[6];
  assign \$62  = ~ port__data[6];
  assign \$63  = ~ port__data[6];
  assign \$64  = ~ port__data[6];
  assign \$65  = ~ port__data[6];
  assign \$66  = ~ port__data[6];
  assign \$67  = ~ port__data[6];
  assign \$68  = ~ port__data[6];
  assign \$69  = ~ port__data[6];
  assign \$70  = \$60 [8:0] ^ { \$69 , \$68 , \$67 , \$66 , \$65 , \$64 , \$63 , \$62 , \$61  };
  assign \$71  = $signed({ 1'h0, \$50 [8:0] }) - $signed({ 1'h1, \$70  });
  assign \$72  = ~ port__data[2];
  assign \$73  = ~ port__data[2];
  assign \$74  = ~ port__data[2];
  assign \$75  = ~ port__data[2];
  assign \$76  = ~ port__data[2];
  assign \$77  = ~ port__data[2];
  assign \$78  = ~ port__data[2];
  assign \$79  = ~ port__data[2];
  assign \$80  = \register$26  ^ { \$79 , \$78 , \$77 , \$76 , \$75 , \$74 , \$73 , \$72  };
  assign \$81  = $signed({ 1'h0, \register$25  }) - $signed({ 1'h1, \$80  });
  assign \$82  = ~ port__data[3];
  assign \$83  = ~ port__data[3];
  assign \$84  = ~ port__data[3];
  assign \$85  = ~ port__data[3];
  assign \$86  = ~ port__data[3];
  assign \$87  = ~ port__data[3];
  assign \$88  = ~ port__data[3];
  assign \$89  = ~ port__data[3];
  assign \$90  = \register$28  ^ { \$89 , \$88 , \$87 , \$86 , \$85 , \$84 , \$83 , \$82  };
  assign \$91  = $signed({ 1'h0, \register$27  }) - $signed({ 1'h1, \$90  });
  assign \$92  = ~ port__data[7];
  assign \$93  = ~ port__data[7];
  assign \$94  = ~ port__data[7];
  assign \$95  = ~ port__data[7];
  assign \$96  = ~ port__data[7];
  assign \$97  = ~ port__data[7];
  assign \$98  = ~ port__data[7];
  assign \$99  = ~ port__data[7];
  assign \$100  = ~ port__data[7];
  assign \$101  = \$91 [8:0] ^ { \$100 , \$99 , \$98 , \$97 , \$96 , \$95 , \$94 , \$93 , \$92  };
  assign \$102  = $signed({ 1'h0, \$81 [8:0] }) - $signed({ 1'h1, \$101  });
  assign \$103  = ~ port__data[4];
  assign \$104  = ~ port__data[4];
  assign \$105  = ~ port__data[4];
  assign \$106  = ~ port__data[4];
  assign \$107  = ~ port__data[4];
  assign \$108  = ~ port__data[4];
  assign \$109  = ~ port__data[4];
  assign \$110  = ~ port__data[4];
  assign \$111  = \register$30  ^ { \$110 , \$109 , \$108 , \$107 , \$106 , \$105 , \$104 , \$103  };
  assign \$112  = $signed({ 1'h0, \register$29  }) - $signed({ 1'h1, \$111  });
  assign \$113  = ~ port__data[5];
  assign \$114  = ~ port__data[5];
  assign \$115  = ~ port__data[5];
  assign \$116  = ~ port__data[5];
  assign \$117  = ~ port__data[5];
  assign \$118  = ~ port__data[5];
  assign \$119  = ~ port__data[5];
  assign \$120  = ~ port__data[5];
  assign \$121  = \register$32  ^ { \$120 , \$119 , \$118 , \$117 , \$116 , \$115 , \$114 , \$113  };
  assign \$122  = $signed({ 1'h0, \register$31  }) - $signed({ 1'h1, \$121  });
  assign \$123  = ~ port__data[8];
  assign \$124  = ~ port__data[8];
  assign \$125  = ~ port__data[8];
  assign \$126  = ~ port__data[8];
  assign \$127  = ~ port__data[8];
  assign \$128  = ~ port__data[8];
  assign \$129  = ~ port__data[8];
  assign \$130  = ~ port__data[8];
  assign \$131  = ~ port__data[8];
  assign \$132  = \$122 [8:0] ^ { \$131 , \$130 , \$129 , \$128 , \$127 , \$126 , \$125 , \$124 , \$123  };
  assign \$133  = $signed({ 1'h0, \$112 [8:0] }) - $signed({ 1'h1, \$132  });
  assign \$134  = ~ \delay_0$39 ;
  assign \$135  = ~ \delay_0$39 ;
  assign \$136  = ~ \delay_0$39 ;
  assign \$137  = ~ \delay_0$39 ;
  assign \$138  = ~ \delay_0$39 ;
  assign \$139  = ~ \delay_0$39 ;
  assign \$140  = ~ \delay_0$39 ;
  assign \$141  = ~ \delay_0$39 ;
  assign \$142  = ~ \delay_0$39 ;
  assign \$143  = ~ \delay_0$39 ;
  assign \$144  = \delay_0$37  ^ { \$143 , \$142 , \$141 , \$140 , \$139 , \$138 , \$137 , \$136 , \$135 , \$134  };
  assign \$145  = $signed({ 1'h0, delay_0 }) - $signed({ 1'h1, \$144  });
  assign \$146  = ~ \delay_0$40 ;
  assign \$147  = ~ \delay_0$40 ;
  assign \$148  = ~ \delay_0$40 ;
  assign \$149  = ~ \delay_0$40 ;
  assign \$150  = ~ \delay_0$40 ;
  assign \$151  = ~ \delay_0$40 ;
  assign \$152  = ~ \delay_0$40 ;
  assign \$153  = ~ \delay_0$40 ;
  assign \$154  = ~ \delay_0$40 ;
  assign \$155  = ~ \delay_0$40 ;
  assign \$156  = \delay_0$38  ^ { \$155 , \$154 , \$153 , \$152 , \$151 , \$150 , \$149 , \$148 , \$147 , \$146  };
  assign \$157  = $signed({ 1'h0, \$145 [10:0] }) - $signed({ 1'h1, \$156  });
  assign \$158  = port__en & tokens[2];
  assign \$159  = \delay_0$41  ^ { delay_1, delay_1, delay_1, delay_1, delay_1, delay_1, delay_1, delay_1, delay_1, delay_1, delay_1, delay_1 };
  assign \$160  = ~ \port__data$44 ;
  assign \$161  = \$159  - \$160 ;
  always @(posedge clk)
    register <= \$162 ;
  always @(posedge clk)
    \register$22  <= \$163 ;
  always @(posedge clk)
    \register$23  <= \$164 ;
  always @(posedge clk)
    \register$24  <= \$165 ;
  always @(posedge clk)
    \register$25  <= \$166 ;
  always @(posedge clk)
    \register$26  <= \$167 ;
  always @(posedge clk)
    \register$27  <= \$168 ;
  always @(posedge clk)
    \register$28  <= \$169 ;
  always @(posedge clk)
    \register$29  <= \$170 ;
  always @(posedge clk)
    \register$30  <= \$171 ;
  always @(posedge clk)
    \register$31  <= \$172 ;
  always @(posedge clk)
    \register$32  <= \$173 ;
  always @(posedge clk)
    first <= \$174 ;
  always @(posedge clk)
    \port__addr$18  <= \$175 ;
  always @(posedge clk)
    delay_0 <= \$176 ;
  always @(posedge clk)
    \delay_0$37  <= \$177 ;
  always @(posedge clk)
    \delay_0$38  <= \$178 ;
  always @(posedge clk)
    \delay_0$39  <= \$179 ;
  always @(posedge clk)
    \delay_0$40  <= \$180 ;
  always @(posedge clk)
    \delay_0$41  <= \$181 ;
  always @(posedge clk)
    \delay_0$42  <= \$182 ;
  always @(posedge clk)
    delay_1 <= \$183 ;
  always @(posedge clk)
    o__payload <= \$184 ;
  assign \$auto$rtlil.cc:3245:Not$2  = ~ i__payload[7];
  assign \$auto$rtlil.cc:3245:Not$12  = ~ i__payload[47];
  assign \$auto$rtlil.cc:3245:Not$14  = ~ i__payload[55];
  assign \$auto$rtlil.cc:3245:Not$16  = ~ i__payload[63];
  assign \$auto$rtlil.cc:3245:Not$18  = ~ i__payload[71];
  assign \$auto$rtlil.cc:3245:Not$20  = ~ i__payload[79];
  assign \$auto$rtlil.cc:3245:Not$22  = ~ i__payload[87];
  assign \$auto$rtlil.cc:3245:Not$24  = ~ i__payload[95];
  assign \$auto$rtlil.cc:3245:Not$4  = ~ i__payload[15];
  assign \$auto$rtlil.cc:3245:Not$6  = ~ i__payload[23];
  assign \$auto$rtlil.cc:3245:Not$8  = ~ i__payload[31];
  assign \$auto$rtlil.cc:3245:Not$10  = ~ i__payload[39];
  \layer_linear_1.sequence  \sequence  (
    .ce(port__en),
    .clk(clk),
    .consume(consume),
    .i_ready(i__ready),
    .i_valid(i__valid),
    .index_0(index_0),
    .o_ready(o__ready),
    .rst(rst),
    .tokens(tokens)
  );
  always @* begin
    if (\$initial ) begin end
    \$162  = register;
    if (\$2 ) begin
      \$162  = \$3 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$163  = \register$22 ;
    if (\$5 ) begin
      \$163  = \$6 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$164  = \register$23 ;
    if (\$8 ) begin
      \$164  = \$9 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$165  = \register$24 ;
    if (\$11 ) begin
      \$165  = \$12 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$166  = \register$25 ;
    if (\$14 ) begin
      \$166  = \$15 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$167  = \register$26 ;
    if (\$17 ) begin
      \$167  = \$18 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$168  = \register$27 ;
    if (\$20 ) begin
      \$168  = \$21 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$169  = \register$28 ;
    if (\$23 ) begin
      \$169  = \$24 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$170  = \register$29 ;
    if (\$26 ) begin
      \$170  = \$27 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$171  = \register$30 ;
    if (\$29 ) begin
      \$171  = \$30 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$172  = \register$31 ;
    if (\$32 ) begin
      \$172  = \$33 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$173  = \register$32 ;
    if (\$35 ) begin
      \$173  = \$36 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$174  = first;
    if (\$37 ) begin
      \$174  = tokens[2];
    end
    if (rst) begin
      \$174  = 1'h1;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$175  = \port__addr$18 ;
    if (\$38 ) begin
      \$175  = \$39 [3:0];
      if (\$40 ) begin
        \$175  = 4'h0;
      end
    end
    if (rst) begin
      \$175  = 4'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$176  = delay_0;
    if (port__en) begin
      \$176  = \$71 [9:0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$177  = \delay_0$37 ;
    if (port__en) begin
      \$177  = \$102 [9:0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$178  = \delay_0$38 ;
    if (port__en) begin
      \$178  = \$133 [9:0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$179  = \delay_0$39 ;
    if (port__en) begin
      \$179  = port__data[9];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$180  = \delay_0$40 ;
    if (port__en) begin
      \$180  = port__data[10];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$181  = \delay_0$41 ;
    if (port__en) begin
      \$181  = \$157 [11:0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$182  = \delay_0$42 ;
    if (port__en) begin
      \$182  = port__data[11];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$183  = delay_1;
    if (port__en) begin
      \$183  = \delay_0$42 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$184  = o__payload;
    if (\$158 ) begin
      \$184  = \$161 [11:0];
    end
  end
  assign emit = 1'h1;
  assign i_valid = i__valid;
  assign i_ready = i__ready;
  assign o_valid = tokens[3];
  assign o_ready = o__ready;
  assign port__addr = index_0;
  assign ce = port__en;
  assign row = \port__addr$18 ;
  assign total_0 = o__payload;
  assign o__valid = tokens[3];
  assign \$3 [6:0] = i__payload[6:0];
  assign \$3 [7] = \$auto$rtlil.cc:3245:Not$2 ;
  assign \$6 [6:0] = i__payload[14:8];
  assign \$6 [7] = \$auto$rtlil.cc:3245:Not$4 ;
  assign \$9 [6:0] = i__payload[22:16];
  assign \$9 [7] = \$auto$rtlil.cc:3245:Not$6 ;
  assign \$12 [6:0] = i__payload[30:24];
  assign \$12 [7] = \$auto$rtlil.cc:3245:Not$8 ;
  assign \$15 [6:0] = i__payload[38:32];
  assign \$15 [7] = \$auto$rtlil.cc:3245:Not$10 ;
  assign \$18 [6:0] = i__payload[46:40];
  assign \$18 [7] = \$auto$rtlil.cc:3245:Not$12 ;
  assign \$21 [6:0] = i__payload[54:48];
  assign \$21 [7] = \$auto$rtlil.cc:3245:Not$14 ;
  assign \$24 [6:0] = i__payload[62:56];
  assign \$24 [7] = \$auto$rtlil.cc:3245:Not$16 ;
  assign \$27 [6:0] = i__payload[70:64];
  assign \$27 [7] = \$auto$rtlil.cc:3245:Not$18 ;
  assign \$30 [6:0] = i__payload[78:72];
  assign \$30 [7] = \$auto$rtlil.cc:3245:Not$20 ;
  assign \$33 [6:0] = i__payload[86:80];
  assign \$33 [7] = \$auto$rtlil.cc:3245:Not$22 ;
  assign \$36 [6:0] = i__payload[94:88];
  assign \$36 [7] = \$auto$rtlil.cc:3245:Not$24 ;
endmodule

module \layer_linear_1.sequence (o_ready, clk, rst, consume, i_ready, ce, tokens, index_0, i_valid);
  reg \$initial  = 0;
  input o_ready;
  wire o_ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  input consume;
  wire consume;
  output i_ready;
  wire i_ready;
  output ce;
  wire ce;
  output [3:0] tokens;
  reg [3:0] tokens = 4'h0;
  output [3:0] index_0;
  reg [3:0] index_0 = 4'h0;
  input i_valid;
  wire i_valid;
  wire \$1 ;
  wire \$2 ;
  wire \$3 ;
  wire \$4 ;
  wire [4:0] \$5 ;
  wire \$6 ;
  reg [3:0] \$7 ;
  reg [3:0] \$8 ;
  wire emit;
  wire issue;
  wire o_valid;
  assign \$1  = ~ consume;
  assign \$2  = \$1  | i_valid;
  assign issue = ce & \$2 ;
  assign \$3  = ~ tokens[3];
  assign ce = \$3  | o_ready;
  assign \$5  = index_0 + 1'h1;
  assign \$6  = index_0 == 4'h9;
  always @(posedge clk)
    tokens <= \$7 ;
  always @(posedge clk)
    index_0 <= \$8 ;
  assign i_ready = ce & consume;
  always @* begin
    if (\$initial ) begin end
    \$7  = tokens;
    if (ce) begin
      \$7  = { tokens[2:0], \$4  };
    end
    if (rst) begin
      \$7  = 4'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$8  = index_0;
    if (issue) begin
      \$8  = \$5 [3:0];
      if (\$6 ) begin
        \$8  = 4'h0;
      end
    end
    if (rst) begin
      \$8  = 4'h0;
    end
  end
  assign o_valid = tokens[3];
  assign emit = 1'h1;
  assign \$4  = issue;
endmodule

module layer_quantize_3(i__valid, o__ready, clk, rst, i__ready, o__payload, o__valid, i__payload);
  reg \$initial  = 0;
  input i__valid;
  wire i__valid;
  input o__ready;
  wire o__ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i__ready;
  wire i__ready;
  output [1:0] o__payload;
  wire [1:0] o__payload;
  output o__valid;
  wire o__valid;
  input [11:0] i__payload;
  wire [11:0] i__payload;
  wire [2:0] \$1 ;
  wire \$2 ;
  wire [12:0] \$3 ;
  wire \$4 ;
  reg \$5 ;
  reg [11:0] \$6 ;
  reg [3:0] \$7 ;
  reg \$8 ;
  reg \$9 ;
  wire ce;
  wire consume;
  reg delay_0 = 1'h0;
  reg [3:0] \delay_0$18  = 4'h0;
  reg \delay_0$19  = 1'h0;
  reg \delay_0$20  = 1'h0;
  reg signed [11:0] \delay_0$23  = 12'h000;
  wire emit;
  wire i_ready;
  wire i_valid;
  wire [3:0] index_0;
  wire o_ready;
  wire o_valid;
  wire [3:0] port__addr;
  wire [4:0] \port__addr$16 ;
  wire [11:0] port__data;
  wire [11:0] \port__data$24 ;
  (* ram_block = "logic" *)
  (* rom_style = "distributed" *)
  reg [11:0] thresholds_0_0 [9:0];
  initial begin
    thresholds_0_0[0] = 12'h05a;
    thresholds_0_0[1] = 12'h041;
    thresholds_0_0[2] = 12'h03b;
    thresholds_0_0[3] = 12'h042;
    thresholds_0_0[4] = 12'h045;
    thresholds_0_0[5] = 12'h04b;
    thresholds_0_0[6] = 12'h037;
    thresholds_0_0[7] = 12'h047;
    thresholds_0_0[8] = 12'h03e;
    thresholds_0_0[9] = 12'h053;
  end
  assign port__data = thresholds_0_0[port__addr];
  (* ram_block = "logic" *)
  (* rom_style = "distributed" *)
  reg [11:0] thresholds_0_1 [19:0];
  initial begin
    thresholds_0_1[0] = 12'h01d;
    thresholds_0_1[1] = 12'h096;
    thresholds_0_1[2] = 12'h016;
    thresholds_0_1[3] = 12'h06c;
    thresholds_0_1[4] = 12'h014;
    thresholds_0_1[5] = 12'h063;
    thresholds_0_1[6] = 12'h018;
    thresholds_0_1[7] = 12'h06c;
    thresholds_0_1[8] = 12'h018;
    thresholds_0_1[9] = 12'h072;
    thresholds_0_1[10] = 12'h019;
    thresholds_0_1[11] = 12'h07e;
    thresholds_0_1[12] = 12'h015;
    thresholds_0_1[13] = 12'h05a;
    thresholds_0_1[14] = 12'h016;
    thresholds_0_1[15] = 12'h077;
    thresholds_0_1[16] = 12'h016;
    thresholds_0_1[17] = 12'h066;
    thresholds_0_1[18] = 12'h01d;
    thresholds_0_1[19] = 12'h089;
  end
  assign \port__data$24  = thresholds_0_1[{ \delay_0$18 , delay_0 }];
  assign \$1  = { \delay_0$20 , \delay_0$19  } + 1'h0;
  assign \$2  = $signed(i__payload) >= $signed(port__data);
  assign \$3  = $signed(\delay_0$23 ) - $signed(\port__data$24 );
  assign \$4  = ~ \$3 [12];
  always @(posedge clk)
    delay_0 <= \$5 ;
  always @(posedge clk)
    \delay_0$23  <= \$6 ;
  always @(posedge clk)
    \delay_0$18  <= \$7 ;
  always @(posedge clk)
    \delay_0$20  <= \$8 ;
  always @(posedge clk)
    \delay_0$19  <= \$9 ;
  \layer_quantize_3.sequence  \sequence  (
    .ce(ce),
    .clk(clk),
    .i_ready(i__ready),
    .i_valid(i__valid),
    .index_0(port__addr),
    .o_ready(o__ready),
    .o_valid(o__valid),
    .rst(rst)
  );
  always @* begin
    if (\$initial ) begin end
    \$5  = delay_0;
    if (ce) begin
      \$5  = \$2 ;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$6  = \delay_0$23 ;
    if (ce) begin
      \$6  = i__payload;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$7  = \delay_0$18 ;
    if (ce) begin
      \$7  = port__addr;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$8  = \delay_0$20 ;
    if (ce) begin
      \$8  = delay_0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$9  = \delay_0$19 ;
    if (ce) begin
      \$9  = \$4 ;
    end
  end
  assign consume = 1'h1;
  assign emit = 1'h1;
  assign i_valid = i__valid;
  assign i_ready = i__ready;
  assign o_valid = o__valid;
  assign o_ready = o__ready;
  assign index_0 = port__addr;
  assign \port__addr$16  = { \delay_0$18 , delay_0 };
  assign o__payload = \$1 [1:0];
endmodule

module \layer_quantize_3.sequence (o_ready, clk, rst, i_ready, ce, o_valid, index_0, i_valid);
  reg \$initial  = 0;
  input o_ready;
  wire o_ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i_ready;
  wire i_ready;
  output ce;
  wire ce;
  output o_valid;
  wire o_valid;
  output [3:0] index_0;
  reg [3:0] index_0 = 4'h0;
  input i_valid;
  wire i_valid;
  wire \$1 ;
  wire \$2 ;
  wire \$3 ;
  wire \$4 ;
  wire [4:0] \$5 ;
  wire \$6 ;
  reg [1:0] \$7 ;
  reg [3:0] \$8 ;
  wire consume;
  wire emit;
  wire issue;
  reg [1:0] tokens = 2'h0;
  assign issue = ce & \$2 ;
  assign \$3  = ~ tokens[1];
  assign ce = \$3  | o_ready;
  assign \$5  = index_0 + 1'h1;
  assign \$6  = index_0 == 4'h9;
  always @(posedge clk)
    tokens <= \$7 ;
  always @(posedge clk)
    index_0 <= \$8 ;
  always @* begin
    if (\$initial ) begin end
    \$7  = tokens;
    if (ce) begin
      \$7  = { tokens[0], \$4  };
    end
    if (rst) begin
      \$7  = 2'h0;
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$8  = index_0;
    if (issue) begin
      \$8  = \$5 [3:0];
      if (\$6 ) begin
        \$8  = 4'h0;
      end
    end
    if (rst) begin
      \$8  = 4'h0;
    end
  end
  assign consume = 1'h1;
  assign emit = 1'h1;
  assign o_valid = tokens[1];
  assign i_ready = ce;
  assign \$1  = 1'h0;
  assign \$2  = i_valid;
  assign \$4  = issue;
endmodule

module convert_linear_4(i__valid, o__ready, clk, rst, i__ready, o__payload, o__valid, i__payload);
  reg \$initial  = 0;
  input i__valid;
  wire i__valid;
  input o__ready;
  wire o__ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i__ready;
  wire i__ready;
  output [19:0] o__payload;
  wire [19:0] o__payload;
  output o__valid;
  wire o__valid;
  input [1:0] i__payload;
  wire [1:0] i__payload;
  reg [17:0] \$1 ;
  wire consume;
  wire emit;
  reg [17:0] held = 18'h00000;
  wire i_ready;
  wire i_valid;
  wire [3:0] index_0;
  wire issue;
  wire o_ready;
  wire o_valid;
  assign emit = index_0 == 4'h9;
  always @(posedge clk)
    held <= \$1 ;
  \convert_linear_4.sequence  \sequence  (
    .clk(clk),
    .emit(emit),
    .i_ready(i__ready),
    .i_valid(i__valid),
    .index_0(index_0),
    .issue(issue),
    .o_ready(o__ready),
    .o_valid(o__valid),
    .rst(rst)
  );
  always @* begin
    if (\$initial ) begin end
    \$1  = held;
    if (issue) begin
      \$1  = { i__payload, held[17:2] };
    end
  end
  assign consume = 1'h1;
  assign i_valid = i__valid;
  assign i_ready = i__ready;
  assign o_valid = o__valid;
  assign o_ready = o__ready;
  assign o__payload = { i__payload, held };
endmodule

module \convert_linear_4.sequence (o_ready, clk, rst, emit, i_ready, issue, o_valid, index_0, i_valid);
  reg \$initial  = 0;
  input o_ready;
  wire o_ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  input emit;
  wire emit;
  output i_ready;
  wire i_ready;
  output issue;
  wire issue;
  output o_valid;
  wire o_valid;
  output [3:0] index_0;
  reg [3:0] index_0 = 4'h0;
  input i_valid;
  wire i_valid;
  wire \$1 ;
  wire \$10 ;
  reg [3:0] \$11 ;
  wire \$2 ;
  wire \$3 ;
  wire \$4 ;
  wire \$5 ;
  wire \$6 ;
  wire \$7 ;
  wire \$8 ;
  wire [4:0] \$9 ;
  wire ce;
  wire consume;
  assign \$1  = ~ emit;
  assign \$2  = o_ready | \$1 ;
  assign \$3  = ~ emit;
  assign \$4  = o_ready | \$3 ;
  assign issue = \$4  & \$6 ;
  assign o_valid = emit & \$8 ;
  assign \$9  = index_0 + 1'h1;
  assign \$10  = index_0 == 4'h9;
  always @(posedge clk)
    index_0 <= \$11 ;
  always @* begin
    if (\$initial ) begin end
    \$11  = index_0;
    if (issue) begin
      \$11  = \$9 [3:0];
      if (\$10 ) begin
        \$11  = 4'h0;
      end
    end
    if (rst) begin
      \$11  = 4'h0;
    end
  end
  assign consume = 1'h1;
  assign ce = issue;
  assign i_ready = \$2 ;
  assign \$5  = 1'h0;
  assign \$6  = i_valid;
  assign \$7  = 1'h0;
  assign \$8  = i_valid;
endmodule

module layer_linear_4(i__valid, o__ready, clk, rst, i__ready, o__payload, o__valid, i__payload);
  reg \$initial  = 0;
  input i__valid;
  wire i__valid;
  input o__ready;
  wire o__ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i__ready;
  wire i__ready;
  output [63:0] o__payload;
  wire [63:0] o__payload;
  output o__valid;
  reg o__valid = 1'h0;
  input [19:0] i__payload;
  wire [19:0] i__payload;
  wire \$1 ;
  reg \$2 ;
  wire ce;
  (* init = 1'h0 *)
  wire valid;
  assign \$1  = ~ o__valid;
  assign i__ready = \$1  | o__ready;
  always @(posedge clk)
    o__valid <= \$2 ;
  linear_4_adders datapath (
    .ce(i__ready),
    .clk(clk),
    .x(i__payload),
    .y(o__payload)
  );
  always @* begin
    if (\$initial ) begin end
    \$2  = o__valid;
    if (i__ready) begin
      \$2  = i__valid;
    end
    if (rst) begin
      \$2  = 1'h0;
    end
  end
  assign ce = i__ready;
  assign valid = o__valid;
endmodule

module layer_sign_6(i__valid, o__ready, clk, rst, i__ready, o__payload, o__valid, i__payload);
  reg \$initial  = 0;
  input i__valid;
  wire i__valid;
  input o__ready;
  wire o__ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i__ready;
  wire i__ready;
  output [7:0] o__payload;
  wire [7:0] o__payload;
  output o__valid;
  wire o__valid;
  input [63:0] i__payload;
  wire [63:0] i__payload;
  wire \$1 ;
  wire [1:0] \$10 ;
  wire \$11 ;
  wire [1:0] \$12 ;
  wire \$13 ;
  wire [1:0] \$14 ;
  wire \$15 ;
  wire [1:0] \$16 ;
  reg \$17 ;
  reg \$18 ;
  reg \$19 ;
  wire [1:0] \$2 ;
  reg \$20 ;
  reg \$21 ;
  reg \$22 ;
  reg \$23 ;
  reg \$24 ;
  wire \$3 ;
  wire [1:0] \$4 ;
  wire \$5 ;
  wire [1:0] \$6 ;
  wire \$7 ;
  wire [1:0] \$8 ;
  wire \$9 ;
  wire ce;
  wire consume;
  reg delay_0 = 1'h0;
  reg \delay_0$17  = 1'h0;
  reg \delay_0$19  = 1'h0;
  reg \delay_0$21  = 1'h0;
  reg \delay_0$23  = 1'h0;
  reg \delay_0$25  = 1'h0;
  reg \delay_0$27  = 1'h0;
  reg \delay_0$29  = 1'h0;
  wire emit;
  wire i_ready;
  wire i_valid;
  wire o_ready;
  wire o_valid;
  wire y_0;
  wire y_1;
  wire y_2;
  wire y_3;
  wire y_4;
  wire y_5;
  wire y_6;
  wire y_7;
  assign \$1  = $signed(i__payload[7:0]) >= $signed(4'hb);
  assign \$2  = \$1  + 1'h0;
  assign \$3  = $signed(i__payload[15:8]) >= $signed(4'h8);
  assign \$4  = \$3  + 1'h0;
  assign \$5  = $signed(i__payload[23:16]) >= $signed(5'h0d);
  assign \$6  = \$5  + 1'h0;
  assign \$7  = $signed(i__payload[31:24]) >= $signed(4'h5);
  assign \$8  = \$7  + 1'h0;
  assign \$9  = $signed(i__payload[39:32]) >= $signed(3'h3);
  assign \$10  = \$9  + 1'h0;
  assign \$11  = $signed(i__payload[47:40]) >= $signed(4'h8);
  assign \$12  = \$11  + 1'h0;
  assign \$13  = $signed(i__payload[55:48]) >= $signed(5'h08);
  assign \$14  = \$13  + 1'h0;
  assign \$15  = $signed(i__payload[63:56]) >= $signed(5'h12);
  assign \$16  = \$15  + 1'h0;
  always @(posedge clk)
    delay_0 <= \$17 ;
  always @(posedge clk)
    \delay_0$17  <= \$18 ;
  always @(posedge clk)
    \delay_0$19  <= \$19 ;
  always @(posedge clk)
    \delay_0$21  <= \$20 ;
  always @(posedge clk)
    \delay_0$23  <= \$21 ;
  always @(posedge clk)
    \delay_0$25  <= \$22 ;
  always @(posedge clk)
    \delay_0$27  <= \$23 ;
  always @(posedge clk)
    \delay_0$29  <= \$24 ;
  \layer_sign_6.sequence  \sequence  (
    .ce(ce),
    .clk(clk),
    .i_ready(i__ready),
    .i_valid(i__valid),
    .o_ready(o__ready),
    .o_valid(o__valid),
    .rst(rst)
  );
  always @* begin
    if (\$initial ) begin end
    \$17  = delay_0;
    if (ce) begin
      \$17  = \$2 [0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$18  = \delay_0$17 ;
    if (ce) begin
      \$18  = \$4 [0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$19  = \delay_0$19 ;
    if (ce) begin
      \$19  = \$6 [0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$20  = \delay_0$21 ;
    if (ce) begin
      \$20  = \$8 [0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$21  = \delay_0$23 ;
    if (ce) begin
      \$21  = \$10 [0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$22  = \delay_0$25 ;
    if (ce) begin
      \$22  = \$12 [0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$23  = \delay_0$27 ;
    if (ce) begin
      \$23  = \$14 [0];
    end
  end
  always @* begin
    if (\$initial ) begin end
    \$24  = \delay_0$29 ;
    if (ce) begin
      \$24  = \$16 [0];
    end
  end
  assign consume = 1'h1;
  assign emit = 1'h1;
  assign i_valid = i__valid;
  assign i_ready = i__ready;
  assign o_valid = o__valid;
  assign o_ready = o__ready;
  assign y_0 = \$2 [0];
  assign y_1 = \$4 [0];
  assign y_2 = \$6 [0];
  assign y_3 = \$8 [0];
  assign y_4 = \$10 [0];
  assign y_5 = \$12 [0];
  assign y_6 = \$14 [0];
  assign y_7 = \$16 [0];
  assign o__payload[7] = \delay_0$29 ;
  assign o__payload[6] = \delay_0$27 ;
  assign o__payload[5] = \delay_0$25 ;
  assign o__payload[4] = \delay_0$23 ;
  assign o__payload[3] = \delay_0$21 ;
  assign o__payload[2] = \delay_0$19 ;
  assign o__payload[1] = \delay_0$17 ;
  assign o__payload[0] = delay_0;
endmodule

module \layer_sign_6.sequence (o_ready, clk, rst, i_ready, ce, o_valid, i_valid);
  reg \$initial  = 0;
  input o_ready;
  wire o_ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i_ready;
  wire i_ready;
  output ce;
  wire ce;
  output o_valid;
  reg o_valid = 1'h0;
  input i_valid;
  wire i_valid;
  wire \$1 ;
  wire \$2 ;
  wire \$3 ;
  wire \$4 ;
  reg \$5 ;
  wire consume;
  wire emit;
  wire issue;
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

module layer_linear_7(i__valid, o__ready, clk, rst, i__ready, o__payload, o__valid, i__payload);
  reg \$initial  = 0;
  input i__valid;
  wire i__valid;
  input o__ready;
  wire o__ready;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output i__ready;
  wire i__ready;
  output [15:0] o__payload;
  wire [15:0] o__payload;
  output o__valid;
  reg o__valid = 1'h0;
  input [7:0] i__payload;
  wire [7:0] i__payload;
  wire \$1 ;
  reg \$2 ;
  wire ce;
  (* init = 1'h0 *)
  wire valid;
  assign \$1  = ~ o__valid;
  assign i__ready = \$1  | o__ready;
  always @(posedge clk)
    o__valid <= \$2 ;
  linear_7_adders datapath (
    .ce(i__ready),
    .clk(clk),
    .x(i__payload),
    .y(o__payload)
  );
  always @* begin
    if (\$initial ) begin end
    \$2  = o__valid;
    if (i__ready) begin
      \$2  = i__valid;
    end
    if (rst) begin
      \$2  = 1'h0;
    end
  end
  assign ce = i__ready;
  assign valid = o__valid;
endmodule
