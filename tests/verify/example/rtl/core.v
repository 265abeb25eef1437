/* verilator lint_off DECLFILENAME */
// Two units in a row on 2 lanes of unsigned 4-bit integers: x + 1, then its negative.
module unit_inc(
    input clk, input rst,
    input [7:0] i__payload, input i__valid, output i__ready,
    output reg [9:0] o__payload, output reg o__valid, input o__ready
);
    assign i__ready = ~o__valid | o__ready;
    always @(posedge clk) begin
        if (i__ready) begin
            o__valid <= i__valid;
            o__payload <= {{1'b0, i__payload[7:4]} + 5'd1, {1'b0, i__payload[3:0]} + 5'd1};
        end
        if (rst) o__valid <= 1'b0;
    end
endmodule

module unit_neg(
    input clk, input rst,
    input [9:0] i__payload, input i__valid, output i__ready,
    output reg [11:0] o__payload, output reg o__valid, input o__ready
);
    assign i__ready = ~o__valid | o__ready;
    always @(posedge clk) begin
        if (i__ready) begin
            o__valid <= i__valid;
            o__payload <= {6'd0 - {1'b0, i__payload[9:5]}, 6'd0 - {1'b0, i__payload[4:0]}};
        end
        if (rst) o__valid <= 1'b0;
    end
endmodule

module core(
    input clk, input rst,
    input [7:0] i_payload, input i_valid, output i_ready,
    output [11:0] o_payload, output o_valid, input o_ready
);
    wire [9:0] mid;
    wire mid_valid, mid_ready;
    unit_inc layer_inc(
        .clk(clk), .rst(rst),
        .i__payload(i_payload), .i__valid(i_valid), .i__ready(i_ready),
        .o__payload(mid), .o__valid(mid_valid), .o__ready(mid_ready)
    );
    unit_neg layer_neg(
        .clk(clk), .rst(rst),
        .i__payload(mid), .i__valid(mid_valid), .i__ready(mid_ready),
        .o__payload(o_payload), .o__valid(o_valid), .o__ready(o_ready)
    );
endmodule
