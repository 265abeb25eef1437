// A carry chain of any width from CARRY4 (7-series): o = s ^ carry, carry = s ? carry : di.
module hwgen_carry #(parameter W = 1) (
  input wire ci,
  input wire [W-1:0] di,
  input wire [W-1:0] s,
  output wire [W-1:0] o
);
  localparam CELLS = (W + 3) / 4;
  wire [4*CELLS-1:0] all_di = {{(4*CELLS-W){1'b0}}, di};
  wire [4*CELLS-1:0] all_s = {{(4*CELLS-W){1'b0}}, s};
  wire [4*CELLS-1:0] all_o, co;
  assign o = all_o[W-1:0];
  genvar k;
  generate
    for (k = 0; k < CELLS; k = k + 1) begin : cells
      if (k == 0) begin : first
        CARRY4 carry (
          .CI(1'b0), .CYINIT(ci), .DI(all_di[3:0]), .S(all_s[3:0]), .O(all_o[3:0]), .CO(co[3:0])
        );
      end else begin : next
        CARRY4 carry (
          .CI(co[4*k-1]), .CYINIT(1'b0), .DI(all_di[4*k +: 4]), .S(all_s[4*k +: 4]),
          .O(all_o[4*k +: 4]), .CO(co[4*k +: 4])
        );
      end
    end
  endgenerate
endmodule
