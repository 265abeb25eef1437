// An SPI bus, mode 0, as the transport of hwgen_link: the host is the master and clocks bytes in and
// out at once, most significant bit first.
//
// The first byte after the select goes down is not data: a host sends 00, which a flash memory on
// the same bus takes for no command. Towards the host every other byte is data, but for A9, nothing to
// say, and A8, which changes bit 7 of the byte behind it (so that A8 and A9 can be data).
//
// The bus is sampled with the clock, which must be at least eight times as fast.

/* verilator lint_off DECLFILENAME */

module hwgen_spi (
  input wire clk,
  input wire rst,
  input wire sck,
  input wire cs_n,
  input wire mosi,
  output wire miso,
  output reg [7:0] in_byte,
  output reg in_valid,            // for one cycle; nothing holds a byte back
  input wire [7:0] out_byte,
  input wire out_valid,
  output wire out_ready
);
  localparam [7:0] ESCAPE = 8'ha8, NOTHING = 8'ha9;

  // ---- the bus in this clock
  reg [2:0] clocks;
  reg [1:0] selects, data;
  wire selected = ~selects[1];
  wire rise = selected & clocks[1] & ~clocks[2];
  wire fall = selected & ~clocks[1] & clocks[2];
  always @(posedge clk) begin
    clocks <= {clocks[1:0], sck};
    selects <= {selects[0], cs_n};
    data <= {data[0], mosi};
    if (rst) selects <= 2'b11;
  end

  // ---- bytes in
  reg [2:0] bits;                 // of this byte, so far
  reg first;                      // of this selection
  always @(posedge clk) begin
    in_valid <= 1'b0;
    if (rise) begin
      in_byte <= {in_byte[6:0], data[1]};
      bits <= bits + 3'd1;
      if (bits == 3'd7) begin
        in_valid <= ~first;
        first <= 1'b0;
      end
    end
    if (~selected | rst) begin
      bits <= 3'd0;
      first <= 1'b1;
    end
    if (rst) in_valid <= 1'b0;
  end

  // ---- bytes out: one is chosen before its first bit, and gone when that is taken
  reg [7:0] shift;
  reg escaped;                    // the byte before was ESCAPE, and whole or not it was begun
  reg is_data, is_escape;         // what is in shift
  wire special = out_byte == ESCAPE | out_byte == NOTHING;
  assign miso = shift[7];
  assign out_ready = rise & bits == 3'd0 & is_data;
  always @(posedge clk) begin
    if (~selected) begin
      shift <= NOTHING;
      {is_data, is_escape} <= 2'b00;
    end else if (fall) begin
      shift <= {shift[6:0], 1'b0};
      if (bits == 3'd0) begin
        shift <= ~out_valid ? NOTHING : ~special ? out_byte : escaped ? out_byte ^ 8'h80 : ESCAPE;
        is_data <= out_valid & (~special | escaped);
        is_escape <= out_valid & special & ~escaped;
      end
    end
    if (rise & bits == 3'd0) escaped <= is_escape;
    if (rst) escaped <= 1'b0;
  end
endmodule
