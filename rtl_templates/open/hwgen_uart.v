// A UART in front of the accelerator's AXI4-Streams: one request, one answer.
//
//   request  C3 5A kind tag(4) payload crc(4)      answer  3C A5 kind tag(4) payload crc(4)
//   kind 00  identify, no payload                  kind 80  "HWG1" BUILD(4) IN_BYTES(4) OUT_BYTES(4)
//   kind 01  a frame of IN_BYTES                   kind 81  the outputs, OUT_BYTES
//   kind 02  reset the accelerator                 kind 80
//                                                  kind FF  refused: the checksum was wrong
//
// Numbers are little-endian, crc is CRC-32 (that of zlib) over kind, tag and payload. The tag comes
// back in the answer. A request whose checksum is wrong never reaches the accelerator. After TIMEOUT
// cycles without a byte in the middle of a request, the next byte is taken as the start of one.
//
// Flow control: a request may be sent while the one before it is computed and answered; the memory
// has a half for each. Bytes that come while a whole request waits are dropped.

/* verilator lint_off DECLFILENAME */
/* verilator lint_off WIDTHEXPAND */  // parameters are 32 bits wide, and counters as wide as they
/* verilator lint_off WIDTHTRUNC */   // need be

module hwgen_uart #(
  parameter DIVISOR = 100,        // clock cycles per bit
  parameter TIMEOUT = 1000000,
  parameter IN_BYTES = 1,         // a frame in whole words
  parameter OUT_BYTES = 1,
  parameter IN_WORD = 1,          // bytes per word
  parameter OUT_WORD = 1,
  parameter [31:0] BUILD = 0
) (
  input wire clk,
  input wire rst,
  input wire rx,
  output wire tx,
  output reg core_reset,          // for some cycles, on request
  output wire [8*IN_WORD-1:0] i_tdata,
  output wire i_tvalid,
  output wire i_tlast,
  input wire i_tready,
  input wire [8*OUT_WORD-1:0] o_tdata,
  input wire o_tvalid,
  output reg o_tready             // a register: the accelerator's longest path begins here
);
  localparam [7:0] FRAME = 8'h01, RESET = 8'h02;
  localparam [7:0] IDENTITY = 8'h80, OUTPUTS = 8'h81, REFUSED = 8'hff;

  localparam PLACE = $clog2(IN_BYTES) > 2 ? $clog2(IN_BYTES) : 2;
  localparam FETCH = $clog2(IN_BYTES + 1) > PLACE ? $clog2(IN_BYTES + 1) : PLACE;
  localparam COUNT = $clog2(OUT_BYTES) > 4 ? $clog2(OUT_BYTES) : 4;
  localparam IDLE_BITS = $clog2(TIMEOUT + 1);

  // ---- bytes in
  wire [7:0] in_byte;
  wire in_valid;
  hwgen_uart_rx #(.DIVISOR(DIVISOR)) receiver (
    .clk(clk), .rst(rst), .rx(rx), .data(in_byte), .valid(in_valid)
  );

  // ---- requests: the bytes of one go to memory while its checksum is computed
  localparam [2:0] HUNT = 0, SECOND = 1, KIND = 2, TAG = 3, PAYLOAD = 4, CRC = 5, ACT = 6;
  reg [2:0] state;
  reg [7:0] kind;
  reg [31:0] tag, in_crc;
  reg [PLACE-1:0] place;
  reg bad;
  reg [IDLE_BITS-1:0] idle;
  reg bank, feed_bank;            // halves of the memory: of the next frame, of the one in use
  reg [7:0] memory [0:(2<<PLACE)-1];
  wire [31:0] in_crc_next;
  hwgen_crc32 in_sum (.crc(in_crc), .data(in_byte), .next(in_crc_next));

  wire answering;
  reg feeding, answer;
  wire store = in_valid & state == PAYLOAD;
  always @(posedge clk) if (store) memory[{bank, place}] <= in_byte;

  always @(posedge clk) begin
    answer <= 1'b0;
    idle <= (in_valid | state == HUNT) ? 0 : idle + 1'b1;
    if (state == ACT) begin
      // A frame waits until the last one is out; then both sides start together.
      // A reset does not wait: it is what ends a wait for outputs that never come.
      if (kind == RESET & ~bad | ~(answering | answer | feeding | core_reset)) begin
        answer <= 1'b1;
        state <= HUNT;
      end
    end else if (in_valid) begin
      place <= place + 1'b1;
      case (state)
        HUNT: if (in_byte == 8'hc3) state <= SECOND;
        SECOND: state <= in_byte == 8'h5a ? KIND : in_byte == 8'hc3 ? SECOND : HUNT;
        KIND: begin
          kind <= in_byte;
          bad <= 1'b0;
          state <= in_byte <= RESET ? TAG : HUNT;
          place <= 0;
        end
        TAG: begin
          tag <= {in_byte, tag[31:8]};
          if (place == 3) begin
            state <= kind == FRAME ? PAYLOAD : CRC;
            place <= 0;
          end
        end
        PAYLOAD: if (place == IN_BYTES - 1) begin
          state <= CRC;
          place <= 0;
        end
        CRC: begin
          // The register holds the inverted checksum, least byte first.
          if (in_byte != ~in_crc[7:0]) bad <= 1'b1;
          if (place == 3) state <= ACT;
        end
        default: state <= HUNT;
      endcase
      if (state == SECOND) in_crc <= 32'hffffffff;
      else if (state == CRC) in_crc <= in_crc >> 8;
      else in_crc <= in_crc_next;
    end else if (idle == TIMEOUT) state <= HUNT;
    if (rst) begin
      state <= HUNT;
      idle <= 0;
      answer <= 1'b0;
    end
  end

  // ---- a reset of the accelerator takes 16 cycles, and what was on its way is forgotten
  reg [3:0] resetting;
  wire start = answer & ~bad;
  always @(posedge clk) begin
    if (start & kind == RESET) begin
      core_reset <= 1'b1;
      resetting <= 4'd0;
    end else if (core_reset) begin
      resetting <= resetting + 4'd1;
      if (resetting == 4'd15) core_reset <= 1'b0;
    end
    if (rst) core_reset <= 1'b0;
  end

  // ---- frames from memory to the accelerator, a byte per cycle
  reg [FETCH-1:0] fetch;
  reg [7:0] fetched;
  reg fetched_valid;
  reg [8*IN_WORD-1:0] word;
  reg [$clog2(IN_WORD+1)-1:0] filled;
  reg [FETCH-1:0] given;
  wire full = filled == IN_WORD;
  wire take = fetched_valid & ~full;
  wire more = feeding & fetch != IN_BYTES;
  wire step = more & (~fetched_valid | take);
  assign i_tdata = word;
  assign i_tvalid = full;
  assign i_tlast = given == IN_BYTES / IN_WORD - 1;
  always @(posedge clk) if (step) fetched <= memory[{feed_bank, fetch[PLACE-1:0]}];
  always @(posedge clk) begin
    if (step) fetch <= fetch + 1'b1;
    if (step | take) fetched_valid <= step;
    if (take) begin
      word <= {fetched, word} >> 8;
      filled <= filled + 1'b1;
    end
    if (i_tvalid & i_tready) begin
      filled <= 0;
      given <= given + 1'b1;
      if (i_tlast) feeding <= 1'b0;
    end
    if (start & kind == FRAME) begin
      feeding <= 1'b1;
      feed_bank <= bank;
      bank <= ~bank;
      fetch <= 0;
      filled <= 0;
      given <= 0;
      fetched_valid <= 1'b0;
    end
    if (rst) bank <= 1'b0;
    if (rst | core_reset) begin
      feeding <= 1'b0;
      filled <= 0;
      fetched_valid <= 1'b0;
    end
  end

  // ---- answers
  localparam [2:0] IDLE = 0, HEAD = 1, BODY = 2, SUM = 3;
  reg [2:0] phase;
  reg [7:0] out_kind;
  reg [31:0] out_crc;
  reg [COUNT-1:0] count;
  reg [127:0] out_tag;            // magic, kind and tag, and then the identity
  reg [8*OUT_WORD-1:0] out_word;
  reg [$clog2(OUT_WORD+1)-1:0] out_left;
  wire out_ready;
  wire [31:0] out_crc_next;
  wire [7:0] out_byte = phase == SUM ? ~out_crc[7:0]
    : phase == BODY & out_kind == OUTPUTS ? out_word[7:0] : out_tag[7:0];
  wire have = phase == HEAD | phase == SUM | (phase == BODY & (out_kind != OUTPUTS | out_left != 0));
  wire sent = have & out_ready;
  assign answering = phase != IDLE;
  hwgen_crc32 out_sum (.crc(out_crc), .data(out_byte), .next(out_crc_next));
  hwgen_uart_tx #(.DIVISOR(DIVISOR)) sender (
    .clk(clk), .rst(rst), .tx(tx), .data(out_byte), .valid(have), .ready(out_ready)
  );

  always @(posedge clk) begin
    if (o_tready & o_tvalid) begin
      out_word <= o_tdata;
      out_left <= OUT_WORD;
    end
    o_tready <= phase == BODY & out_kind == OUTPUTS & out_left == 0 & ~(o_tready & o_tvalid)
      & ~answer & ~rst;
    if (sent) begin
      count <= count + 1'b1;
      out_tag <= out_tag >> 8;
      out_crc <= phase == SUM ? out_crc >> 8
        : phase == HEAD & count < 2 ? 32'hffffffff : out_crc_next;
      case (phase)
        HEAD: if (count == 6) begin
          phase <= out_kind == REFUSED ? SUM : BODY;
          count <= 0;
          out_tag <= {OUT_BYTES[31:0], IN_BYTES[31:0], BUILD, 32'h31475748};
        end
        BODY: begin
          out_word <= out_word >> 8;
          out_left <= out_left - 1'b1;
          if (count == (out_kind == OUTPUTS ? OUT_BYTES - 1 : 15)) begin
            phase <= SUM;
            count <= 0;
          end
        end
        SUM: if (count == 3) phase <= IDLE;
        default: phase <= IDLE;
      endcase
    end
    if (answer) begin
      phase <= HEAD;
      count <= 0;
      out_left <= 0;
      out_kind <= bad ? REFUSED : kind == FRAME ? OUTPUTS : IDENTITY;
      out_tag <= {72'd0, tag, bad ? REFUSED : kind == FRAME ? OUTPUTS : IDENTITY, 16'ha53c};
    end
    if (rst) phase <= IDLE;
  end
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

// One byte of a reflected CRC-32, polynomial EDB88320.
module hwgen_crc32 (input wire [31:0] crc, input wire [7:0] data, output wire [31:0] next);
  function [31:0] advance(input [31:0] value);
    integer k;
    begin
      advance = value;
      for (k = 0; k < 8; k = k + 1)
        advance = (advance >> 1) ^ (advance[0] ? 32'hedb88320 : 32'd0);
    end
  endfunction
  assign next = advance(crc ^ {24'd0, data});
endmodule
