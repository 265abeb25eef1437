// Constants from packets to the accelerator's registers, and the number of those that are in use.
//
// The packets of a network's constants are taken in their order only, under one number that a host
// gives to all of them (not 0 or FFFFFFFF): packet 0 of another number begins anew, and a reset
// forgets what has come. So what is committed is whole, of one host and in order, whatever was lost, damaged or sent twice.
// While a commit is under way the number in use is unknown (FFFFFFFF): a reset in its midst leaves it
// so, and no frame can be taken for one of constants that it was not computed with.

/* verilator lint_off DECLFILENAME */

module hwgen_load #(
  parameter [31:0] PACKETS = 1
) (
  input wire clk,
  input wire rst,                 // of the accelerator; it changes no bank, nor what is in use
  input wire [7:0] head_byte,     // the head of a request: number of constants, number of packet
  input wire head_valid,
  output wire fresh,              // it is the packet that is due
  output wire seen,               // it came before
  output wire whole,              // of a commit: all packets came
  output wire done,               // of a commit: these constants are in use
  input wire take,                // the words of this packet follow
  input wire [7:0] data,          // address(4) data(4) of each word
  input wire valid,
  output wire ready,
  output wire idle,               // all words are written
  input wire commit,              // held until whole goes down: then it is done
  output reg [31:0] constants,
  output reg [7:0] axil_awaddr,
  output reg axil_awvalid,
  input wire axil_awready,
  output reg [31:0] axil_wdata,
  output reg axil_wvalid,
  input wire axil_wready,
  input wire axil_bvalid,
  output reg axil_arvalid,
  input wire axil_arready,
  input wire [31:0] axil_rdata,
  input wire axil_rvalid
);
  localparam [7:0] LOAD_ADDRESS = 8'h2c, LOAD_DATA = 8'h30, LOAD_CONTROL = 8'h34;
  localparam [31:0] UNKNOWN = 32'hffffffff;
  wire unused = &axil_rdata[31:2];

  /* verilator lint_off PROCASSINIT */  // what the bitstream starts registers with
  initial constants = 32'd0;
  /* verilator lint_on PROCASSINIT */

  // ---- heads
  reg [63:0] head;
  wire [31:0] number = head[31:0], packet = head[63:32];
  always @(posedge clk) if (head_valid) head <= {head_byte, head[63:8]};

  reg open;                       // packets of ``owner`` came, the next is ``due``
  reg [31:0] owner;
  reg [$clog2(PACKETS + 1)-1:0] due;
  wire same = open & number == owner;
  wire is_due = packet == {{(32 - $clog2(PACKETS + 1)){1'b0}}, due};
  wire is_end = packet == PACKETS;
  assign fresh = same ? is_due & ~is_end : packet == 32'd0;
  assign seen = same & packet < {{(32 - $clog2(PACKETS + 1)){1'b0}}, due};
  assign whole = same & is_due & is_end;
  assign done = ~same & is_end & number == constants;

  // ---- words and the commit, as writes and reads of registers
  localparam [2:0] BYTES = 0, ADDRESS = 1, DATA = 2, BANK = 3, CHANGE = 4, WAIT = 5;
  reg [2:0] state;
  reg [63:8] pair;                // the last seven bytes
  reg [2:0] filled;
  reg last_bank;
  assign ready = state == BYTES & ~commit;
  assign idle = state == BYTES & filled == 3'd0;

  always @(posedge clk) begin
    if (axil_awready) axil_awvalid <= 1'b0;
    if (axil_wready) axil_wvalid <= 1'b0;
    if (axil_arready) axil_arvalid <= 1'b0;
    if (take) begin
      open <= 1'b1;
      owner <= number;
      due <= packet[$clog2(PACKETS + 1)-1:0] + 1'b1;
    end
    case (state)
      BYTES: if (commit) begin
        axil_arvalid <= 1'b1;
        state <= BANK;
      end else if (valid) begin
        pair <= {data, pair[63:16]};
        filled <= filled + 3'd1;
        if (filled == 3'd7) begin
          write(LOAD_ADDRESS, pair[39:8]);
          state <= ADDRESS;
        end
      end
      ADDRESS: if (axil_bvalid) begin
        write(LOAD_DATA, pair[63:32]);
        state <= DATA;
      end
      DATA: if (axil_bvalid) state <= BYTES;
      BANK: if (axil_rvalid) begin
        last_bank <= axil_rdata[1];
        constants <= UNKNOWN;
        write(LOAD_CONTROL, 32'd1);
        state <= CHANGE;
      end
      CHANGE: if (axil_bvalid) begin
        axil_arvalid <= 1'b1;
        state <= WAIT;
      end
      WAIT: if (axil_rvalid) begin
        axil_arvalid <= axil_rdata[0];
        if (~axil_rdata[0]) begin
          if (axil_rdata[1] != last_bank) constants <= owner;
          open <= 1'b0;
          state <= BYTES;
        end
      end
      default: state <= BYTES;
    endcase
    if (rst) begin
      {axil_awvalid, axil_wvalid, axil_arvalid, open} <= 4'd0;
      filled <= 3'd0;
      state <= BYTES;
    end
  end

  task write(input [7:0] address, input [31:0] value);
    begin
      axil_awaddr <= address;
      axil_awvalid <= 1'b1;
      axil_wdata <= value;
      axil_wvalid <= 1'b1;
    end
  endtask
endmodule
