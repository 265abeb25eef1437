// Behavioural: what simulators and families without structural cells use.
// Digit number step of C elements of W bits, K bits each, lowest digit first; the top bit of
// every element is inverted where SIGNED, and there are 0s above it.
module hwgen_digits #(parameter C = 1, W = 1, K = 1, T = 1, S = 1, SIGNED = 0) (
  input wire [C*W-1:0] x,
  input wire [S-1:0] step,
  output wire [C*K-1:0] y
);
  genvar c, j, t;
  generate
    for (c = 0; c < C; c = c + 1) begin : elements
      for (j = 0; j < K; j = j + 1) begin : bits
        wire [(1<<S)-1:0] v;
        for (t = 0; t < (1 << S); t = t + 1) begin : digits
          if (t < T && t * K + j < W) begin : present
            assign v[t] = SIGNED != 0 && t * K + j == W - 1 ? ~x[c*W+t*K+j] : x[c*W+t*K+j];
          end else begin : absent
            assign v[t] = 1'b0;
          end
        end
        assign y[c*K+j] = v[step];
      end
    end
  endgenerate
endmodule
