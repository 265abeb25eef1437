// For 7-series and UltraScale(+): one LUT per bit.
// y[k] = INIT[k * 2^N + a], one LUT per bit of y; N is at most 6
module hwgen_table #(parameter N = 1, parameter W = 1, parameter [(W<<N)-1:0] INIT = 0) (
  input wire [N-1:0] a,
  output wire [W-1:0] y
);
  genvar k;
  generate
    for (k = 0; k < W; k = k + 1) begin : bits
      localparam [(1<<N)-1:0] WORD = INIT[k << N +: 1 << N];
      if (N == 1) begin : lut
        LUT1 #(.INIT(WORD)) lut (.O(y[k]), .I0(a[0]));
      end else if (N == 2) begin : lut
        LUT2 #(.INIT(WORD)) lut (.O(y[k]), .I0(a[0]), .I1(a[1]));
      end else if (N == 3) begin : lut
        LUT3 #(.INIT(WORD)) lut (.O(y[k]), .I0(a[0]), .I1(a[1]), .I2(a[2]));
      end else if (N == 4) begin : lut
        LUT4 #(.INIT(WORD)) lut (.O(y[k]), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]));
      end else if (N == 5) begin : lut
        LUT5 #(.INIT(WORD)) lut (
          .O(y[k]), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4])
        );
      end else begin : lut
        LUT6 #(.INIT(WORD)) lut (
          .O(y[k]), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4]), .I5(a[5])
        );
      end
    end
  endgenerate
endmodule
