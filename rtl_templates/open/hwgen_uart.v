// The serial port as the transport of hwgen_link: bytes in and out at one speed, 8N1.

/* verilator lint_off DECLFILENAME */
/* verilator lint_off WIDTHEXPAND */  // parameters are 32 bits wide, and counters as wide as they
/* verilator lint_off WIDTHTRUNC */   // need be

module hwgen_uart #(
  parameter DIVISOR = 100         // clock cycles per bit
) (
  input wire clk,
  input wire rst,
  input wire rx,
  output wire tx,
  output wire [7:0] in_byte,
  output wire in_valid,           // for one cycle; nothing holds a byte back
  input wire [7:0] out_byte,
  input wire out_valid,
  output wire out_ready
);
  hwgen_uart_rx #(.DIVISOR(DIVISOR)) receiver (
    .clk(clk), .rst(rst), .rx(rx), .data(in_byte), .valid(in_valid)
  );
  hwgen_uart_tx #(.DIVISOR(DIVISOR)) sender (
    .clk(clk), .rst(rst), .tx(tx), .data(out_byte), .valid(out_valid), .ready(out_ready)
  );
endmodule

// A byte in: a start bit, eight data bits, one stop bit; bytes without a stop bit are dropped.
module hwgen_uart_rx #(parameter DIVISOR = 100) (
  input wire clk,
  input wire rst,
  input wire rx,
  output reg [7:0] data,
  output reg valid
);
  reg [2:0] sync;
  reg [$clog2(DIVISOR)-1:0] wait_for;
  reg [3:0] bits;
  reg busy;
  wire line = sync[2];
  always @(posedge clk) begin
    sync <= {sync[1:0], rx};
    valid <= 1'b0;
    if (!busy) begin
      if (!line) begin
        busy <= 1'b1;
        bits <= 4'd0;
        wait_for <= DIVISOR / 2;
      end
    end else if (wait_for != 0) wait_for <= wait_for - 1'b1;
    else begin
      wait_for <= DIVISOR - 1;
      bits <= bits + 4'd1;
      if (bits == 4'd0) busy <= !line;
      else if (bits == 4'd9) begin
        busy <= 1'b0;
        valid <= line;
      end else data <= {line, data[7:1]};
    end
    if (rst) begin
      sync <= 3'b111;
      busy <= 1'b0;
      valid <= 1'b0;
    end
  end
endmodule

// A byte out.
module hwgen_uart_tx #(parameter DIVISOR = 100) (
  input wire clk,
  input wire rst,
  output wire tx,
  input wire [7:0] data,
  input wire valid,
  output wire ready
);
  reg [9:0] shift;
  reg [3:0] bits;
  reg [$clog2(DIVISOR)-1:0] wait_for;
  assign tx = shift[0];
  assign ready = bits == 4'd0 && wait_for == 0;
  always @(posedge clk) begin
    if (wait_for != 0) wait_for <= wait_for - 1'b1;
    else if (bits != 4'd0) begin
      shift <= {1'b1, shift[9:1]};
      bits <= bits - 4'd1;
      wait_for <= DIVISOR - 1;
    end else if (valid) begin
      shift <= {1'b1, data, 1'b0};
      bits <= 4'd9;
      wait_for <= DIVISOR - 1;
    end
    if (rst) begin
      shift <= 10'h3ff;
      bits <= 4'd0;
      wait_for <= 0;
    end
  end
endmodule
