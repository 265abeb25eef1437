// A carry chain of any width from CARRY8 (UltraScale): o = s ^ carry, carry = s ? carry : di.
module hwgen_carry #(parameter W = 1) (
  input wire ci,
  input wire [W-1:0] di,
  input wire [W-1:0] s,
  output wire [W-1:0] o
);
  localparam CELLS = (W + 7) / 8;
  wire [8*CELLS-1:0] all_di = {{(8*CELLS-W){1'b0}}, di};
  wire [8*CELLS-1:0] all_s = {{(8*CELLS-W){1'b0}}, s};
  /* verilator lint_off UNUSEDSIGNAL */  // bits beyond W, and the last carry
  wire [8*CELLS-1:0] all_o, co;
  /* verilator lint_on UNUSEDSIGNAL */
  assign o = all_o[W-1:0];
  genvar k;
  generate
    for (k = 0; k < CELLS; k = k + 1) begin : cells
      wire carry_in;
      if (k == 0) begin : first
        assign carry_in = ci;
      end else begin : next
        assign carry_in = co[8*k-1];
      end
      CARRY8 carry (
        .CI(carry_in), .CI_TOP(1'b0), .DI(all_di[8*k +: 8]), .S(all_s[8*k +: 8]),
        .O(all_o[8*k +: 8]), .CO(co[8*k +: 8])
      );
    end
  endgenerate
endmodule
