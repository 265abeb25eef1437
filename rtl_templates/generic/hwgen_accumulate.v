// Behavioural: what simulators and families without structural cells use.
// y = p + (begin_ ? START : a), modulo 2^W
module hwgen_accumulate #(parameter W = 1, parameter [W-1:0] START = 0) (
  input wire [W-1:0] p,
  input wire [W-1:0] a,
  input wire begin_,
  output wire [W-1:0] y
);
  assign y = p + (begin_ ? START : a);
endmodule
