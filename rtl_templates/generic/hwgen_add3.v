// Behavioural: what simulators and families without structural cells use.
// P, the number of bits that more than one operand has, is for structural cells only.
// y = (NEG[0] ? -a : a) + (NEG[1] ? -b : b) + (NEG[2] ? -c : c), modulo 2^W
(* hwgen_adder *)  // yosys: not to be joined with the next, see families/synthesis.py
module hwgen_add3 #(parameter W = 1, parameter [2:0] NEG = 0, parameter P = W) (
  input wire [W-1:0] a,
  input wire [W-1:0] b,
  input wire [W-1:0] c,
  output wire [W-1:0] y
);
  wire [W-1:0] p = NEG[0] ? -a : a;
  wire [W-1:0] q = NEG[1] ? -b : b;
  wire [W-1:0] r = NEG[2] ? -c : c;
  assign y = P <= W ? p + q + r : {W{1'b0}};
endmodule
