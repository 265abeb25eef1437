// Behavioural: what simulators and families without structural cells use.
// y = a + f(t) + c, modulo 2^W, where bit k of f(t) is INIT[k * 2^N + t]
module hwgen_absorb #(parameter N = 1, parameter W = 1, parameter [(W<<N)-1:0] INIT = 0) (
  input wire [W-1:0] a,
  input wire [N-1:0] t,
  input wire c,
  output wire [W-1:0] y
);
  wire [W-1:0] f;
  genvar k;
  generate
    for (k = 0; k < W; k = k + 1) begin : bits
      wire [(1<<N)-1:0] word = INIT[k << N +: 1 << N];
      assign f[k] = word[t];
    end
    if (W == 1) begin : one
      assign y = a ^ f ^ c;
    end else begin : more
      assign y = a + f + {{(W-1){1'b0}}, c};
    end
  endgenerate
endmodule
