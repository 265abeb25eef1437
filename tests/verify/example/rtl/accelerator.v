/* verilator lint_off UNUSEDSIGNAL */
// Frames of 6 integers: 2 words of 16 bits in (4-bit slots), 3 beats through the core, 3 words out
// (8-bit slots). A frame is gathered whole before it moves on.
module accelerator(
    input aclk, input aresetn,
    input [15:0] s_axis_tdata, input [1:0] s_axis_tkeep, input s_axis_tvalid, input s_axis_tlast,
    output s_axis_tready,
    output [15:0] m_axis_tdata, output [1:0] m_axis_tkeep, output m_axis_tvalid,
    output m_axis_tlast, input m_axis_tready,
    input [7:0] s_axil_awaddr, input [2:0] s_axil_awprot, input s_axil_awvalid,
    output s_axil_awready,
    input [31:0] s_axil_wdata, input [3:0] s_axil_wstrb, input s_axil_wvalid,
    output s_axil_wready,
    output [1:0] s_axil_bresp, output reg s_axil_bvalid, input s_axil_bready,
    input [7:0] s_axil_araddr, input [2:0] s_axil_arprot, input s_axil_arvalid,
    output s_axil_arready,
    output reg [31:0] s_axil_rdata, output [1:0] s_axil_rresp, output reg s_axil_rvalid,
    input s_axil_rready
);
    reg core_reset;
    wire rst = ~aresetn | core_reset;

    // Words in: gathered into one frame, then fed to the core two integers a beat.
    reg [1:0] word, beat;
    reg [31:0] frame;
    reg full;
    wire last_word = word == 1;
    wire accept = s_axis_tvalid & s_axis_tready;
    wire [7:0] i_payload = beat == 0 ? frame[7:0] : beat == 1 ? frame[15:8] : frame[23:16];
    wire i_ready;
    assign s_axis_tready = ~full & ~rst;
    always @(posedge aclk) begin
        if (accept) begin
            if (word == 0) frame[15:0] <= s_axis_tdata; else frame[31:16] <= s_axis_tdata;
            word <= word == 1 ? 0 : 1;
            if (word == 1) full <= 1;
        end
        if (full & i_ready) begin
            beat <= beat == 2 ? 0 : beat + 1;
            if (beat == 2) full <= 0;
        end
        if (rst) begin word <= 0; beat <= 0; full <= 0; end
    end

    wire [11:0] o_payload;
    wire o_valid;
    core core(
        .clk(aclk), .rst(rst),
        .i_payload(i_payload), .i_valid(full), .i_ready(i_ready),
        .o_payload(o_payload), .o_valid(o_valid), .o_ready(m_axis_tready)
    );

    // Words out: one beat is one word; a packet ends where it ended on the way in.
    reg [7:0] marks;
    reg [2:0] marked, unmarked;
    reg [1:0] sent;
    wire mark = marks[unmarked];
    wire send = m_axis_tvalid & m_axis_tready;
    assign m_axis_tdata = {{2{o_payload[11]}}, o_payload[11:6], {2{o_payload[5]}}, o_payload[5:0]};
    assign m_axis_tkeep = 2'b11;
    assign m_axis_tvalid = o_valid;
    assign m_axis_tlast = sent == 2 & mark;
    always @(posedge aclk) begin
        if (send) sent <= sent == 2 ? 0 : sent + 1;
        if (accept & last_word) begin marks[marked] <= s_axis_tlast; marked <= marked + 1; end
        if (send & sent == 2) unmarked <= unmarked + 1;
        if (rst) begin sent <= 0; marked <= 0; unmarked <= 0; end
    end

    // Registers.
    reg [31:0] frames_in, frames_out, latency, interval, first;
    reg [63:0] cycles;
    reg [31:0] cycles_hi;
    reg [2:0] errors;
    wire [2:0] now = accept
        ? {~last_word & s_axis_tkeep != 2'b11, last_word & ~s_axis_tlast, ~last_word & s_axis_tlast}
        : 3'b000;
    wire write = s_axil_awvalid & s_axil_wvalid & ~s_axil_bvalid;
    wire read = s_axil_arvalid & ~s_axil_rvalid;
    assign s_axil_awready = write;
    assign s_axil_wready = write;
    assign s_axil_bresp = 0;
    assign s_axil_rresp = 0;
    assign s_axil_arready = read;
    always @(posedge aclk) begin
        core_reset <= write & s_axil_awaddr == 8'h20 & s_axil_wdata[0];
        errors <= (write & s_axil_awaddr == 8'h1c ? errors & ~s_axil_wdata[2:0] : errors) | now;
        cycles <= cycles + 1;
        if (accept & last_word) frames_in <= frames_in + 1;
        if (accept & word == 0) begin first <= cycles[31:0]; interval <= cycles[31:0] - first; end
        if (send & sent == 2) begin
            frames_out <= frames_out + 1;
            latency <= cycles[31:0] - first;
        end
        if (s_axil_bvalid & s_axil_bready) s_axil_bvalid <= 0;
        if (write) s_axil_bvalid <= 1;
        if (s_axil_rvalid & s_axil_rready) s_axil_rvalid <= 0;
        if (read) begin
            s_axil_rvalid <= 1;
            case (s_axil_araddr)
                8'h00: s_axil_rdata <= 32'h48574731;
                8'h04: s_axil_rdata <= 32'h00000100;
                8'h08: s_axil_rdata <= 32'hDEADBEEF;
                8'h0c: s_axil_rdata <= frames_in;
                8'h10: s_axil_rdata <= frames_out;
                8'h14: begin s_axil_rdata <= cycles[31:0]; cycles_hi <= cycles[63:32]; end
                8'h18: s_axil_rdata <= cycles_hi;
                8'h1c: s_axil_rdata <= {29'd0, errors};
                8'h24: s_axil_rdata <= latency;
                8'h28: s_axil_rdata <= interval;
                default: s_axil_rdata <= 0;
            endcase
        end
        if (~aresetn) begin
            s_axil_bvalid <= 0; s_axil_rvalid <= 0; core_reset <= 0; cycles <= 0; errors <= 0;
            frames_in <= 0; frames_out <= 0; latency <= 0; interval <= 0; first <= 0;
        end
    end
endmodule
