// For 7-series and UltraScale(+): one LUT per bit of f(t) that is not constant.
// y = a + f(t) + c, modulo 2^W, where bit k of f(t) is INIT[k * 2^N + t]; N is at most 5.
// The LUT of bit k is a[k] ^ f(t)[k], the select of the carry chain; a[k] is its data input.
module hwgen_absorb #(parameter N = 1, parameter W = 1, parameter [(W<<N)-1:0] INIT = 0) (
  input wire [W-1:0] a,
  input wire [N-1:0] t,
  input wire c,
  output wire [W-1:0] y
);
  localparam T = 1 << N;
  wire [W-1:0] s;
  genvar k;
  generate
    for (k = 0; k < W; k = k + 1) begin : bits
      localparam [T-1:0] WORD = INIT[k << N +: T];
      if (WORD == {T{1'b0}}) begin : same
        assign s[k] = a[k];
      end else if (WORD == {T{1'b1}}) begin : flipped
        assign s[k] = ~a[k];
      end else begin : mixed
        hwgen_table #(.N(N + 1), .W(1), .INIT({~WORD, WORD})) lut (.a({a[k], t}), .y(s[k]));
      end
    end
  endgenerate
  hwgen_carry #(.W(W)) chain (.ci(c), .di(a), .s(s), .o(y));
endmodule
