// What the cells of 7-series and UltraScale+ that hwgen instantiates do, for simulators.

module LUT1 #(parameter [1:0] INIT = 0) (input wire I0, output wire O);
  assign O = INIT[I0];
endmodule

module LUT2 #(parameter [3:0] INIT = 0) (input wire I0, I1, output wire O);
  assign O = INIT[{I1, I0}];
endmodule

module LUT3 #(parameter [7:0] INIT = 0) (input wire I0, I1, I2, output wire O);
  assign O = INIT[{I2, I1, I0}];
endmodule

module LUT4 #(parameter [15:0] INIT = 0) (input wire I0, I1, I2, I3, output wire O);
  assign O = INIT[{I3, I2, I1, I0}];
endmodule

module LUT5 #(parameter [31:0] INIT = 0) (input wire I0, I1, I2, I3, I4, output wire O);
  assign O = INIT[{I4, I3, I2, I1, I0}];
endmodule

module LUT6 #(parameter [63:0] INIT = 0) (input wire I0, I1, I2, I3, I4, I5, output wire O);
  assign O = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule

module LUT6_2 #(parameter [63:0] INIT = 0) (
  input wire I0, I1, I2, I3, I4, I5,
  output wire O5, O6
);
  assign O5 = INIT[{1'b0, I4, I3, I2, I1, I0}];
  assign O6 = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule

module CARRY4 (
  input wire CI, CYINIT,
  input wire [3:0] DI, S,
  output wire [3:0] O, CO
);
  wire c = CI | CYINIT;
  assign CO[0] = S[0] ? c : DI[0];
  assign CO[1] = S[1] ? CO[0] : DI[1];
  assign CO[2] = S[2] ? CO[1] : DI[2];
  assign CO[3] = S[3] ? CO[2] : DI[3];
  assign O = S ^ {CO[2:0], c};
endmodule

module CARRY8 #(parameter CARRY_TYPE = "SINGLE_CY8") (
  input wire CI, CI_TOP,
  input wire [7:0] DI, S,
  output wire [7:0] O, CO
);
  wire top = CARRY_TYPE == "DUAL_CY4" ? CI_TOP : CO[3];
  assign CO[0] = S[0] ? CI : DI[0];
  assign CO[1] = S[1] ? CO[0] : DI[1];
  assign CO[2] = S[2] ? CO[1] : DI[2];
  assign CO[3] = S[3] ? CO[2] : DI[3];
  assign CO[4] = S[4] ? top : DI[4];
  assign CO[5] = S[5] ? CO[4] : DI[5];
  assign CO[6] = S[6] ? CO[5] : DI[6];
  assign CO[7] = S[7] ? CO[6] : DI[7];
  assign O = S ^ {CO[6:4], top, CO[2:0], CI};
endmodule
