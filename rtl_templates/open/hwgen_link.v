// The accelerator behind a stream of bytes in and one out: one request, one answer.
//
//   request  C3 5A kind tag(4) payload crc(4)      answer  3C A5 kind tag(4) payload crc(4)
//   kind 00  identify, no payload                  kind 80  "HWG1" BUILD(4) IN_BYTES(4) OUT_BYTES(4)
//   kind 01  a frame of IN_BYTES                   kind 81  the outputs, OUT_BYTES
//   kind 02  reset the accelerator                 kind 80
//                                                  kind FF  refused: the checksum was wrong
//
// Where constants can be written (LOAD_WORDS is not 0), every answer has CONSTANTS(4) behind its tag:
// the number of those that a frame is computed with, 0 as the bitstream came, FFFFFFFF unknown. Then
//
//   kind 03  constants(4) packet(4), and LOAD_CHUNK times address(4) data(4)          kind 83
//   kind 04  constants(4) packets(4): compute with them from now on                   kind 84
//                                             kind FE  refused: not the packet that is due
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

module hwgen_link #(
  parameter TIMEOUT = 1000000,
  parameter IN_BYTES = 1,         // a frame in whole words
  parameter OUT_BYTES = 1,
  parameter IN_WORD = 1,          // bytes per word
  parameter OUT_WORD = 1,
  parameter [31:0] BUILD = 0,
  parameter LOAD_WORDS = 0,       // of a network's constants; 0: they cannot be written
  parameter LOAD_CHUNK = 1        // words per packet
) (
  input wire clk,
  input wire rst,
  input wire [7:0] in_byte,
  input wire in_valid,
  output wire [7:0] out_byte,
  output wire out_valid,
  input wire out_ready,
  output reg core_reset,          // for some cycles, on request
  output wire [8*IN_WORD-1:0] i_tdata,
  output wire i_tvalid,
  output wire i_tlast,
  input wire i_tready,
  input wire [8*OUT_WORD-1:0] o_tdata,
  input wire o_tvalid,
  output reg o_tready,            // a register: the accelerator's longest path begins here
  output wire [7:0] axil_awaddr,  // AXI4-Lite, for the registers that write constants
  output wire axil_awvalid,
  input wire axil_awready,
  output wire [31:0] axil_wdata,
  output wire axil_wvalid,
  input wire axil_wready,
  input wire axil_bvalid,
  output wire axil_arvalid,       // of LOAD_CONTROL alone
  input wire axil_arready,
  input wire [31:0] axil_rdata,
  input wire axil_rvalid
);
  localparam [7:0] FRAME = 8'h01, RESET = 8'h02, LOAD = 8'h03, COMMIT = 8'h04;
  localparam [7:0] IDENTITY = 8'h80, OUTPUTS = 8'h81, LOADED = 8'h83, COMMITTED = 8'h84;
  localparam [7:0] STALE = 8'hfe, REFUSED = 8'hff;

  localparam LOADS = LOAD_WORDS != 0;
  localparam LOAD_HEAD = 8;       // bytes before the words
  localparam LOAD_BYTES = LOADS ? LOAD_HEAD + 8 * LOAD_CHUNK : 0;
  localparam LONGEST = LOAD_BYTES > IN_BYTES ? LOAD_BYTES : IN_BYTES;
  localparam PLACE = $clog2(LONGEST) > 2 ? $clog2(LONGEST) : 2;
  localparam FETCH = $clog2(LONGEST + 1) > PLACE ? $clog2(LONGEST + 1) : PLACE;
  localparam COUNT = $clog2(OUT_BYTES) > 4 ? $clog2(OUT_BYTES) : 4;
  localparam IDLE_BITS = $clog2(TIMEOUT + 1);

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
  wire busy = answering | answer | feeding | core_reset;

  // ---- constants: what the loader says of the request that waits, see hwgen_load
  reg feed_load;
  wire to_loader = feeding & feed_load;
  wire fresh, seen, whole, done, load_ready, load_idle;
  wire [31:0] constants;
  wire [FETCH-1:0] payload_bytes = !LOADS | kind == FRAME ? IN_BYTES
    : kind == LOAD ? LOAD_BYTES : LOAD_HEAD;
  wire commit = LOADS & state == ACT & kind == COMMIT & ~bad & whole;
  wire store = in_valid & state == PAYLOAD;
  always @(posedge clk) if (store) memory[{bank, place}] <= in_byte;

  always @(posedge clk) begin
    answer <= 1'b0;
    idle <= (in_valid | state == HUNT) ? 0 : idle + 1'b1;
    if (state == ACT) begin
      // A frame waits until the last one is out; then both sides start together.
      // A reset does not wait: it is what ends a wait for outputs that never come.
      // A commit is answered when it is done.
      if (kind == RESET & ~bad | ~(busy | commit)) begin
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
          state <= in_byte <= (LOADS ? COMMIT : RESET) ? TAG : HUNT;
          place <= 0;
        end
        TAG: begin
          tag <= {in_byte, tag[31:8]};
          if (place == 3) begin
            state <= kind == FRAME | kind > RESET ? PAYLOAD : CRC;
            place <= 0;
          end
        end
        PAYLOAD: if (place == payload_bytes - 1) begin
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
  wire start_load = LOADS & start & kind == LOAD & fresh;
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

  // ---- frames from memory to the accelerator, and constants to the loader, a byte per cycle
  reg [FETCH-1:0] fetch;
  reg [7:0] fetched;
  reg fetched_valid;
  reg [8*IN_WORD-1:0] word;
  reg [$clog2(IN_WORD+1)-1:0] filled;
  reg [7:0] moved;                // a byte goes through here, so that a wide word's enable is a
  reg moving;                     // register
  reg [FETCH-1:0] given;
  wire full = filled == IN_WORD;
  wire take = fetched_valid & (to_loader ? load_ready : ~full);
  wire more = feeding & fetch != (feed_load ? LOAD_BYTES : IN_BYTES);
  wire step = more & (~fetched_valid | take);
  assign i_tdata = word;
  assign i_tvalid = full & ~moving;
  assign i_tlast = given == IN_BYTES / IN_WORD - 1;
  always @(posedge clk) if (step) fetched <= memory[{feed_bank, fetch[PLACE-1:0]}];
  always @(posedge clk) begin
    if (step) fetch <= fetch + 1'b1;
    if (step | take) fetched_valid <= step;
    moving <= take & ~to_loader;
    moved <= fetched;
    if (moving) word <= {moved, word} >> 8;
    if (take & ~to_loader) filled <= filled + 1'b1;
    if (i_tvalid & i_tready) begin
      filled <= 0;
      given <= given + 1'b1;
      if (i_tlast) feeding <= 1'b0;
    end
    if (to_loader & ~more & ~fetched_valid & load_idle) feeding <= 1'b0;
    if (start & kind == FRAME | start_load) begin
      feeding <= 1'b1;
      feed_load <= start_load;
      feed_bank <= bank;
      bank <= ~bank;
      fetch <= start_load ? LOAD_HEAD : 0;
      filled <= 0;
      given <= 0;
      fetched_valid <= 1'b0;
    end
    if (rst) bank <= 1'b0;
    if (rst | core_reset) begin
      feeding <= 1'b0;
      filled <= 0;
      fetched_valid <= 1'b0;
      moving <= 1'b0;
    end
  end

  // ---- constants
  generate
    if (LOADS) begin : loads
      hwgen_load #(.PACKETS((LOAD_WORDS + LOAD_CHUNK - 1) / LOAD_CHUNK)) loader (
        .clk(clk), .rst(rst | core_reset),
        .head_byte(in_byte), .head_valid(store & place < LOAD_HEAD),
        .fresh(fresh), .seen(seen), .whole(whole), .done(done),
        .take(start_load),
        .data(fetched), .valid(fetched_valid & to_loader), .ready(load_ready), .idle(load_idle),
        .commit(commit & ~busy), .constants(constants),
        .axil_awaddr(axil_awaddr), .axil_awvalid(axil_awvalid), .axil_awready(axil_awready),
        .axil_wdata(axil_wdata), .axil_wvalid(axil_wvalid), .axil_wready(axil_wready),
        .axil_bvalid(axil_bvalid), .axil_arvalid(axil_arvalid), .axil_arready(axil_arready),
        .axil_rdata(axil_rdata), .axil_rvalid(axil_rvalid)
      );
    end else begin : fixed
      assign {fresh, seen, whole, done, load_ready, load_idle} = 6'd0;
      assign constants = 32'd0;
      assign {axil_awaddr, axil_awvalid, axil_wdata, axil_wvalid, axil_arvalid} = 43'd0;
      wire unused = &{axil_awready, axil_wready, axil_bvalid, axil_arready, axil_rdata, axil_rvalid,
                      fresh, seen, done, load_idle, load_ready};
    end
  endgenerate

  // ---- answers
  localparam [1:0] IDLE = 0, HEAD = 1, BODY = 2, SUM = 3;
  reg [1:0] phase;
  reg [7:0] out_kind;
  reg [31:0] out_crc;
  reg [COUNT-1:0] count;
  reg [127:0] out_tag;            // magic, kind, tag and constants, and then the identity
  reg [8*OUT_WORD-1:0] out_word;
  reg [$clog2(OUT_WORD+1)-1:0] out_left;
  wire [31:0] out_crc_next;
  assign out_byte = phase == SUM ? ~out_crc[7:0]
    : phase == BODY & out_kind == OUTPUTS ? out_word[7:0] : out_tag[7:0];
  assign out_valid = phase == HEAD | phase == SUM | (phase == BODY & (out_kind != OUTPUTS | out_left != 0));
  wire sent = out_valid & out_ready;
  assign answering = phase != IDLE;
  hwgen_crc32 out_sum (.crc(out_crc), .data(out_byte), .next(out_crc_next));

  reg [7:0] reply;
  always @(*) begin
    if (bad) reply = REFUSED;
    else case (kind)
      FRAME: reply = OUTPUTS;
      LOAD: reply = fresh | seen ? LOADED : STALE;
      COMMIT: reply = done ? COMMITTED : STALE;
      default: reply = IDENTITY;
    endcase
  end

  always @(posedge clk) begin
    if (o_tready & o_tvalid) begin
      out_word <= o_tdata;
      out_left <= OUT_WORD;
    end else if (sent & phase == BODY) begin  // nothing is taken while bytes are left
      out_word <= out_word >> 8;
      out_left <= out_left - 1'b1;
    end
    o_tready <= phase == BODY & out_kind == OUTPUTS & out_left == 0 & ~(o_tready & o_tvalid)
      & ~answer & ~rst;
    if (sent) begin
      count <= count + 1'b1;
      out_tag <= out_tag >> 8;
      out_crc <= phase == SUM ? out_crc >> 8
        : phase == HEAD & count < 2 ? 32'hffffffff : out_crc_next;
      case (phase)
        HEAD: if (count == (LOADS ? 10 : 6)) begin
          phase <= out_kind == OUTPUTS | out_kind == IDENTITY ? BODY : SUM;
          count <= 0;
          out_tag <= {OUT_BYTES[31:0], IN_BYTES[31:0], BUILD, 32'h31475748};
        end
        BODY: if (count == (out_kind == OUTPUTS ? OUT_BYTES - 1 : 15)) begin
          phase <= SUM;
          count <= 0;
        end
        SUM: if (count == 3) phase <= IDLE;
        default: phase <= IDLE;
      endcase
    end
    if (answer) begin
      phase <= HEAD;
      count <= 0;
      out_left <= 0;
      out_kind <= reply;
      out_tag <= {40'd0, constants, tag, reply, 16'ha53c};
    end
    if (rst) phase <= IDLE;
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
