// For 7-series and UltraScale(+): a LUT for up to four digits, two and a MUXF7 for up to eight.
// Digit number step of C elements of W bits, K bits each, lowest digit first; the top bit of
// every element is inverted where SIGNED, and there are 0s above it.
module hwgen_digits #(parameter C = 1, W = 1, K = 1, T = 1, S = 1, SIGNED = 0) (
  input wire [C*W-1:0] x,
  input wire [S-1:0] step,
  output wire [C*K-1:0] y
);
  localparam [63:0] MUX4 = 64'hff00f0f0ccccaaaa;
  localparam LAST = (W - 1) / K;
  genvar c, j, t;
  generate
    for (c = 0; c < C; c = c + 1) begin : elements
      for (j = 0; j < K; j = j + 1) begin : bits
        wire [(1<<S)-1:0] v;
        for (t = 0; t < (1 << S); t = t + 1) begin : digits
          if (t < T && t * K + j < W) begin : present
            assign v[t] = x[c*W+t*K+j];
          end else begin : absent
            assign v[t] = 1'b0;
          end
        end
        localparam TOP = SIGNED != 0 && LAST * K + j == W - 1;
        if (S == 3) begin : eight
          wire low, high;
          localparam [63:0] FLIP = TOP ? 64'hffff << (16 * (LAST & 3)) : 64'h0;
          LUT6 #(.INIT(LAST < 4 ? MUX4 ^ FLIP : MUX4)) first (
            .O(low), .I0(v[0]), .I1(v[1]), .I2(v[2]), .I3(v[3]), .I4(step[0]), .I5(step[1])
          );
          LUT6 #(.INIT(LAST < 4 ? MUX4 : MUX4 ^ FLIP)) second (
            .O(high), .I0(v[4]), .I1(v[5]), .I2(v[6]), .I3(v[7]), .I4(step[0]), .I5(step[1])
          );
          MUXF7 mux (.O(y[c*K+j]), .I0(low), .I1(high), .S(step[2]));
        end else begin : plain
          localparam [(1<<S)-1:0] MASK = TOP ? 1 << LAST : 0;
          wire [(1<<S)-1:0] word = v ^ MASK;
          assign y[c*K+j] = word[step];
        end
      end
    end
  endgenerate
endmodule
