// For 7-series and UltraScale(+): one LUT per bit, which also chooses what p is added to.
// y = p + (begin_ ? START : a), modulo 2^W
module hwgen_accumulate #(parameter W = 1, parameter [W-1:0] START = 0) (
  input wire [W-1:0] p,
  input wire [W-1:0] a,
  input wire begin_,
  output wire [W-1:0] y
);
  hwgen_carry #(.W(W)) chain (.ci(1'b0), .di(p), .s(p ^ (begin_ ? START : a)), .o(y));
endmodule
