// For 7-series and UltraScale(+): one LUT per bit.
// y = (NEG[0] ? -a : a) + (NEG[1] ? -b : b), modulo 2^W; at most one of them is negated
module hwgen_add2 #(parameter W = 1, parameter [1:0] NEG = 0) (
  input wire [W-1:0] a,
  input wire [W-1:0] b,
  output wire [W-1:0] y
);
  wire [W-1:0] p = NEG[0] ? b : a;
  wire [W-1:0] q = NEG[0] ? ~a : NEG[1] ? ~b : b;
  hwgen_carry #(.W(W)) chain (.ci(NEG != 0), .di(p), .s(p ^ q), .o(y));
endmodule
