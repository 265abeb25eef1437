// For 7-series and UltraScale(+): one LUT per bit of y, or per two bits where N is at most 5.
// y[k] = INIT[k * 2^N + a]; N is at most 6. Bits that do not depend on a take no LUT.
module hwgen_table #(parameter N = 1, parameter W = 1, parameter [(W<<N)-1:0] INIT = 0) (
  input wire [N-1:0] a,
  output wire [W-1:0] y
);
  localparam T = 1 << N;
  localparam COPIES = 64 / T;
  /* verilator lint_off UNUSEDSIGNAL */  // where no two bits of y share a LUT
  wire [5:0] i = {{(6-N){1'b0}}, a};
  /* verilator lint_on UNUSEDSIGNAL */
  genvar k, b;
  generate
    for (k = 0; k < W; k = k + 2) begin : pairs
      localparam LAST = k + 1 < W ? k + 1 : k;
      localparam [T-1:0] LOW = INIT[k << N +: T];
      localparam [T-1:0] HIGH = INIT[LAST << N +: T];
      localparam BOTH = N < 6 && LAST > k && LOW != {T{1'b0}} && LOW != {T{1'b1}}
                        && HIGH != {T{1'b0}} && HIGH != {T{1'b1}};
      if (BOTH) begin : both
        localparam [31:0] O5 = {(COPIES / 2){LOW}};
        localparam [31:0] O6 = {(COPIES / 2){HIGH}};
        LUT6_2 #(.INIT({O6, O5})) lut (
          .I0(i[0]), .I1(i[1]), .I2(i[2]), .I3(i[3]), .I4(i[4]), .I5(1'b1),
          .O5(y[k]), .O6(y[k+1])
        );
      end else begin : single
        for (b = k; b <= LAST; b = b + 1) begin : bits
          localparam [T-1:0] WORD = INIT[b << N +: T];
          if (WORD == {T{1'b0}}) begin : lut
            assign y[b] = 1'b0;
          end else if (WORD == {T{1'b1}}) begin : lut
            assign y[b] = 1'b1;
          end else if (N == 1) begin : lut
            LUT1 #(.INIT(WORD)) lut (.O(y[b]), .I0(a[0]));
          end else if (N == 2) begin : lut
            LUT2 #(.INIT(WORD)) lut (.O(y[b]), .I0(a[0]), .I1(a[1]));
          end else if (N == 3) begin : lut
            LUT3 #(.INIT(WORD)) lut (.O(y[b]), .I0(a[0]), .I1(a[1]), .I2(a[2]));
          end else if (N == 4) begin : lut
            LUT4 #(.INIT(WORD)) lut (.O(y[b]), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]));
          end else if (N == 5) begin : lut
            LUT5 #(.INIT(WORD)) lut (
              .O(y[b]), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4])
            );
          end else begin : lut
            LUT6 #(.INIT(WORD)) lut (
              .O(y[b]), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4]), .I5(a[5])
            );
          end
        end
      end
    end
  endgenerate
endmodule
