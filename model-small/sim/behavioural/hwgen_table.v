// Behavioural: what simulators and families without structural cells use.
// y[k] = INIT[k * 2^N + a]
module hwgen_table #(parameter N = 1, parameter W = 1, parameter [(W<<N)-1:0] INIT = 0) (
  input wire [N-1:0] a,
  output wire [W-1:0] y
);
  genvar k;
  generate
    for (k = 0; k < W; k = k + 1) begin : bits
      wire [(1<<N)-1:0] word = INIT[k << N +: 1 << N];
      assign y[k] = word[a];
    end
  endgenerate
endmodule
