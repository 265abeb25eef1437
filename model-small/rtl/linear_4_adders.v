/* verilator lint_off UNUSEDSIGNAL */  // bits that no sum needs, clk of bare wires
module linear_4_adders (
  input wire clk,
  input wire ce,
  input wire [19:0] x,
  output wire [63:0] y
);
  wire [1:0] n0 = x[1:0];
  wire [1:0] n1 = x[3:2];
  wire [1:0] n2 = x[5:4];
  wire [1:0] n3 = x[7:6];
  wire [1:0] n4 = x[9:8];
  wire [1:0] n5 = x[11:10];
  wire [1:0] n6 = x[13:12];
  wire [1:0] n7 = x[15:14];
  wire [1:0] n8 = x[17:16];
  wire [1:0] n9 = x[19:18];
  wire [2:0] n10;
  hwgen_add2 #(.W(3), .NEG(2'b00)) u10 (.a({1'd0, n5}), .b({1'd0, n7}), .y(n10));
  wire [3:0] n11;
  hwgen_add2 #(.W(3), .NEG(2'b00)) u11 (.a({1'd0, n2}), .b({2'd0, n6[1:1]}), .y(n11[3:1]));
  assign n11[0:0] = n6[0:0];
  wire [3:0] n12;
  hwgen_add2 #(.W(3), .NEG(2'b00)) u12 (.a(n11[3:1]), .b({1'd0, n8}), .y(n12[3:1]));
  assign n12[0:0] = n11[0:0];
  wire [2:0] n13;
  hwgen_add2 #(.W(3), .NEG(2'b00)) u13 (.a({1'd0, n4}), .b({1'd0, n9}), .y(n13));
  wire [3:0] n14;
  hwgen_add2 #(.W(2), .NEG(2'b00)) u14 (.a(n0), .b(2'd0), .y(n14[3:2]));
  assign n14[1:0] = n1;
  wire [5:0] n15;
  hwgen_add3 #(.W(4), .NEG(3'b001), .P(2)) u15 (.a({1'd0, n10}), .b({2'd0, n14[3:2]}), .c({2'd0, n3}), .y(n15[5:2]));
  assign n15[1:0] = n14[1:0];
  wire [7:0] n16;
  hwgen_add3 #(.W(7), .NEG(3'b110)) u16 (.a({{2{n15[5]}}, n15[5:1]}), .b({3'd0, n12}), .c({2'd0, n13, 2'd0}), .y(n16[7:1]));
  assign n16[0:0] = n15[0:0];
  wire [3:0] n17;
  hwgen_add2 #(.W(3), .NEG(2'b01)) u17 (.a({1'd0, n8}), .b({2'd0, n5[1:1]}), .y(n17[3:1]));
  assign n17[0:0] = n5[0:0];
  wire [2:0] n18;
  hwgen_add2 #(.W(3), .NEG(2'b00)) u18 (.a({1'd0, n3}), .b({1'd0, n7}), .y(n18));
  wire [3:0] n19;
  hwgen_add3 #(.W(4), .NEG(3'b001), .P(2)) u19 (.a({2'd0, n2}), .b({2'd0, n4}), .c({2'd0, n9}), .y(n19));
  wire [6:0] n20;
  hwgen_add2 #(.W(4), .NEG(2'b00)) u20 (.a(n19), .b(4'd0), .y(n20[6:3]));
  assign n20[2:0] = {1'd0, n6};
  wire [4:0] n21;
  hwgen_add3 #(.W(5), .NEG(3'b011)) u21 (.a({2'd0, n18}), .b({2'd0, n0, 1'd0}), .c({2'd0, n1, 1'd0}), .y(n21));
  wire [6:0] n22;
  hwgen_add3 #(.W(7), .NEG(3'b100)) u22 (.a(n20), .b({{2{n21[4]}}, n21}), .c({{3{n17[3]}}, n17}), .y(n22));
  wire [4:0] n23;
  hwgen_add3 #(.W(5), .NEG(3'b001), .P(3)) u23 (.a({3'd0, n5}), .b({2'd0, n0, 1'd0}), .c({2'd0, n1, 1'd0}), .y(n23));
  wire [4:0] n24;
  hwgen_add2 #(.W(5), .NEG(2'b01)) u24 (.a(n23), .b({3'd0, n8}), .y(n24));
  wire [5:0] n25;
  hwgen_add2 #(.W(6), .NEG(2'b01)) u25 (.a({3'd0, n18}), .b({1'd0, n6, 3'd0}), .y(n25));
  wire [7:0] n26;
  hwgen_add3 #(.W(6), .NEG(3'b110)) u26 (.a({{2{n25[5]}}, n25[5:2]}), .b({{1{n24[4]}}, n24}), .c({{1{n19[3]}}, n19, 1'd0}), .y(n26[7:2]));
  assign n26[1:0] = n25[1:0];
  wire [2:0] n27;
  hwgen_add2 #(.W(3), .NEG(2'b01)) u27 (.a({1'd0, n9}), .b({1'd0, n3}), .y(n27));
  wire [2:0] n28;
  hwgen_add2 #(.W(3), .NEG(2'b00)) u28 (.a({1'd0, n2}), .b({1'd0, n8}), .y(n28));
  wire [4:0] n29;
  hwgen_add3 #(.W(5), .NEG(3'b001), .P(3)) u29 (.a({2'd0, n28}), .b({2'd0, n4, 1'd0}), .c({2'd0, n6, 1'd0}), .y(n29));
  wire [4:0] n30;
  hwgen_absorb #(.N(4), .W(4), .INIT(64'hfffe37fec9365a5a)) u30 (.a({{2{n27[2]}}, n27[2:1]}), .t({n1, n0}), .c(1'b0), .y(n30[4:1]));
  assign n30[0:0] = n27[0:0];
  wire [6:0] n31;
  hwgen_add3 #(.W(6), .NEG(3'b100)) u31 (.a({{2{n29[4]}}, n29[4:1]}), .b({{1{n30[4]}}, n30}), .c({2'd0, n10, 1'd0}), .y(n31[6:1]));
  assign n31[0:0] = n29[0:0];
  wire [5:0] n32;
  hwgen_add3 #(.W(6), .NEG(3'b011)) u32 (.a({3'd0, n13}), .b({{1{n23[4]}}, n23}), .c({2'd0, n7, 2'd0}), .y(n32));
  wire [7:0] n33;
  hwgen_add3 #(.W(6), .NEG(3'b110)) u33 (.a({{2{n32[5]}}, n32[5:2]}), .b({2'd0, n12}), .c({3'd0, n3, 1'd0}), .y(n33[7:2]));
  assign n33[1:0] = n32[1:0];
  wire [3:0] n34;
  hwgen_add3 #(.W(4), .NEG(3'b001), .P(2)) u34 (.a({2'd0, n3}), .b({2'd0, n1}), .c({2'd0, n7}), .y(n34));
  wire [3:0] n35;
  hwgen_add3 #(.W(4), .NEG(3'b000), .P(2)) u35 (.a({2'd0, n0}), .b({2'd0, n5}), .c({2'd0, n8}), .y(n35));
  wire [7:0] n36;
  hwgen_add3 #(.W(8), .NEG(3'b011)) u36 (.a({{1{n20[6]}}, n20}), .b({{2{n34[3]}}, n34, 2'd0}), .c({1'd0, n35, 3'd0}), .y(n36));
  wire [3:0] n37;
  hwgen_add2 #(.W(3), .NEG(2'b01)) u37 (.a({1'd0, n6}), .b({2'd0, n0[1:1]}), .y(n37[3:1]));
  assign n37[0:0] = n0[0:0];
  wire [6:0] n38;
  hwgen_add3 #(.W(6), .NEG(3'b010)) u38 (.a({{3{n37[3]}}, n37[3:1]}), .b({{2{n34[3]}}, n34}), .c({2'd0, n13, 1'd0}), .y(n38[6:1]));
  assign n38[0:0] = n37[0:0];
  wire [7:0] n39;
  hwgen_add3 #(.W(6), .NEG(3'b000)) u39 (.a({{1{n38[6]}}, n38[6:2]}), .b({{2{n17[3]}}, n17}), .c({3'd0, n2, 1'd0}), .y(n39[7:2]));
  assign n39[1:0] = n38[1:0];
  wire [5:0] n40;
  hwgen_absorb #(.N(4), .W(4), .INIT(64'hcceecc6655aaf0f0)) u40 (.a({{3{n27[2]}}, n27[2:2]}), .t({n7, n4}), .c(1'b0), .y(n40[5:2]));
  assign n40[1:0] = n27[1:0];
  wire [7:0] n41;
  hwgen_add3 #(.W(6), .NEG(3'b110)) u41 (.a({{2{n40[5]}}, n40[5:2]}), .b({2'd0, n11}), .c({{1{n24[4]}}, n24}), .y(n41[7:2]));
  assign n41[1:0] = n40[1:0];
  reg [7:0] n16_1;
  reg [6:0] n22_1;
  reg [7:0] n26_1;
  reg [6:0] n31_1;
  reg [7:0] n33_1;
  reg [7:0] n36_1;
  reg [7:0] n39_1;
  reg [7:0] n41_1;
  assign y = {
    n41_1,
    n39_1,
    n36_1,
    n33_1,
    {n31_1, 1'd0},
    n26_1,
    {{1{n22_1[6]}}, n22_1},
    n16_1
  };
  always @(posedge clk) if (ce) begin
    n16_1 <= n16;
    n22_1 <= n22;
    n26_1 <= n26;
    n31_1 <= n31;
    n33_1 <= n33;
    n36_1 <= n36;
    n39_1 <= n39;
    n41_1 <= n41;
  end
endmodule
/* verilator lint_on UNUSEDSIGNAL */
