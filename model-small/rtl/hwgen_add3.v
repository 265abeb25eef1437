// For 7-series and UltraScale(+): one LUT per bit.
// y = (NEG[0] ? -a : a) + (NEG[1] ? -b : b) + (NEG[2] ? -c : c), modulo 2^W; at most two negated.
// Every LUT gives the majority of its operand bits (O5) to the next bit as the second summand, and
// adds it to their exclusive or (O6) in the carry chain. From bit P on only a has bits: no LUTs.
module hwgen_add3 #(parameter W = 1, parameter [2:0] NEG = 0, parameter P = W) (
  input wire [W-1:0] a,
  input wire [W-1:0] b,
  input wire [W-1:0] c,
  output wire [W-1:0] y
);
  localparam [31:0] A = NEG[0] ? 32'h55555555 : 32'haaaaaaaa;
  localparam [31:0] B = NEG[1] ? 32'h33333333 : 32'hcccccccc;
  localparam [31:0] C = NEG[2] ? 32'h0f0f0f0f : 32'hf0f0f0f0;
  localparam [31:0] MAJORITY = (A & B) | (A & C) | (B & C);
  localparam [31:0] SUM = A ^ B ^ C ^ 32'hff00ff00;
  localparam TWO = (NEG[0] + NEG[1] + NEG[2]) > 1;

  wire [P:0] save;
  wire [W:0] di;
  wire [W-1:0] s;
  wire [W-1:0] p = NEG[0] ? ~a : a;
  assign save[0] = TWO;
  genvar k;
  generate
    for (k = 0; k < P; k = k + 1) begin : bits
      LUT6_2 #(.INIT({SUM, MAJORITY})) lut (
        .I0(a[k]), .I1(b[k]), .I2(c[k]), .I3(save[k]), .I4(1'b0), .I5(1'b1),
        .O5(save[k+1]), .O6(s[k])
      );
    end
    if (P < W) begin : top
      assign s[P] = p[P] ^ save[P];
    end
    for (k = P + 1; k < W; k = k + 1) begin : pass
      assign s[k] = p[k];
    end
  endgenerate
  assign di = {{(W-P){1'b0}}, save};
  hwgen_carry #(.W(W)) chain (.ci(NEG != 0), .di(di[W-1:0]), .s(s), .o(y));
endmodule
