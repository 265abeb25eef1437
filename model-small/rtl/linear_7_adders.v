/* verilator lint_off UNUSEDSIGNAL */  // bits that no sum needs, clk of bare wires
module linear_7_adders (
  input wire clk,
  input wire ce,
  input wire [7:0] x,
  output wire [15:0] y
);
  wire [0:0] n0 = x[0:0];
  wire [0:0] n1 = x[1:1];
  wire [0:0] n2 = x[2:2];
  wire [0:0] n3 = x[3:3];
  wire [0:0] n4 = x[4:4];
  wire [0:0] n5 = x[5:5];
  wire [0:0] n6 = x[6:6];
  wire [0:0] n7 = x[7:7];
  wire [2:0] n8;
  hwgen_table #(.N(5), .W(3), .INIT(96'hb220fbb2b224dbb296696996)) u8 (.a({n7, n4, n3, n1, n0}), .y(n8));
  wire [3:0] n9;
  hwgen_absorb #(.N(4), .W(4), .INIT(64'h450465a6c33ccccc)) u9 (.a({{1{n8[2]}}, n8}), .t({n5, n4, n3, n0}), .c(1'b0), .y(n9));
  wire [3:0] n10;
  hwgen_table #(.N(6), .W(4), .INIT(256'ha00af0a8e08ef8e0a50af0a8e18e78e5aa5a55a9669699633333333cccccccc)) u10 (.a({n6, n5, n3, n2, n1, n0}), .y(n10));
  wire [3:0] n11;
  hwgen_table #(.N(6), .W(4), .INIT(256'hefffffff00088cceeff7733110088cce63399cc663399cc6a55aa55aa55aa55a)) u11 (.a({n8, n7, n2, n0}), .y(n11));
  wire [3:0] n12;
  hwgen_table #(.N(6), .W(4), .INIT(256'h20b222bb002220b2db4ddd44bbdddb4d96699966669996690f0ff0f0f0f00f0f)) u12 (.a({n7, n6, n5, n4, n3, n1}), .y(n12));
  wire [3:0] n13;
  hwgen_absorb #(.N(1), .W(4), .INIT(8'hcb)) u13 (.a(n12), .t({n2}), .c(1'b0), .y(n13));
  reg [3:0] n9_1;
  reg [3:0] n10_1;
  reg [3:0] n11_1;
  reg [3:0] n13_1;
  assign y = {
    n13_1,
    n11_1,
    n10_1,
    n9_1
  };
  always @(posedge clk) if (ce) begin
    n9_1 <= n9;
    n10_1 <= n10;
    n11_1 <= n11;
    n13_1 <= n13;
  end
endmodule
/* verilator lint_on UNUSEDSIGNAL */
