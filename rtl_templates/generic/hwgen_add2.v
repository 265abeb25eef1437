// Behavioural: what simulators and families without structural cells use.
// y = (NEG[0] ? -a : a) + (NEG[1] ? -b : b), modulo 2^W
(* hwgen_adder *)  // yosys: not to be joined with the next, see families/synthesis.py
module hwgen_add2 #(parameter W = 1, parameter [1:0] NEG = 0) (
  input wire [W-1:0] a,
  input wire [W-1:0] b,
  output wire [W-1:0] y
);
  generate
    if (NEG == 2'b00) begin : sum
      assign y = a + b;
    end else if (NEG == 2'b10) begin : difference
      assign y = a - b;
    end else if (NEG == 2'b01) begin : reverse
      assign y = b - a;
    end else begin : minus
      assign y = -(a + b);
    end
  endgenerate
endmodule
