# From this folder to a bitstream and its .hwh in vivado/output. Made by hwgen.
# vivado -mode batch -source build.tcl [-tclargs JOBS]

set here [file dirname [file normalize [info script]]]
set jobs [expr {$argc > 0 ? [lindex $argv 0] : 2}]

source [file join $here package_ip.tcl]

create_project -force model [file join $here project] -part xc7z020clg400-1
# The board's files preset the processing system, where they are installed.
if {[llength [get_board_parts -quiet tul.com.tw:pynq-z2:part0:1.0]] > 0} {
    set_property board_part tul.com.tw:pynq-z2:part0:1.0 [current_project]
}
set_property ip_repo_paths [list [file join $here ip]] [current_project]
update_ip_catalog

create_bd_design design_1

# Processing system: one clock, one control port, one memory port.
set ps [create_bd_cell -type ip -vlnv xilinx.com:ip:processing_system7 ps]
apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \
    -config [list make_external {FIXED_IO, DDR} apply_board_preset 1] $ps
set_property -dict [list \
    CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ 100 \
    CONFIG.PCW_USE_M_AXI_GP0 1 \
    CONFIG.PCW_USE_S_AXI_HP0 1 \
    CONFIG.PCW_S_AXI_HP0_DATA_WIDTH 64 \
] $ps
set clock ps/FCLK_CLK0
set reset ps/FCLK_RESET0_N
set control ps/M_AXI_GP0
set control_clock ps/M_AXI_GP0_ACLK
set memory ps/S_AXI_HP0
set memory_clock ps/S_AXI_HP0_ACLK

create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset reset
create_bd_cell -type ip -vlnv hwgen:user:accelerator accelerator

# DMA in simple mode; its streams are as wide as the accelerator's words.
set dma [create_bd_cell -type ip -vlnv xilinx.com:ip:axi_dma dma]
set_property -dict [list \
    CONFIG.c_include_sg 0 \
    CONFIG.c_sg_include_stscntrl_strm 0 \
    CONFIG.c_sg_length_width 26 \
    CONFIG.c_include_mm2s 1 \
    CONFIG.c_include_s2mm 1 \
    CONFIG.c_m_axi_mm2s_data_width 64 \
    CONFIG.c_m_axis_mm2s_tdata_width 64 \
    CONFIG.c_m_axi_s2mm_data_width 64 \
    CONFIG.c_s_axis_s2mm_tdata_width 64 \
    CONFIG.c_mm2s_burst_size 16 \
    CONFIG.c_s2mm_burst_size 16 \
    CONFIG.c_addr_width 32 \
] $dma

set control_bus [create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect control_bus]
set_property -dict [list CONFIG.NUM_SI 1 CONFIG.NUM_MI 2] $control_bus
set memory_bus [create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect memory_bus]
set_property -dict [list CONFIG.NUM_SI 2 CONFIG.NUM_MI 1] $memory_bus

proc wire {from to} { connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to] }

wire $control control_bus/S00_AXI
wire control_bus/M00_AXI dma/S_AXI_LITE
wire control_bus/M01_AXI accelerator/s_axil
wire dma/M_AXI_MM2S memory_bus/S00_AXI
wire dma/M_AXI_S2MM memory_bus/S01_AXI
wire memory_bus/M00_AXI $memory
wire dma/M_AXIS_MM2S accelerator/s_axis
wire accelerator/m_axis dma/S_AXIS_S2MM

connect_bd_net [get_bd_pins $reset] [get_bd_pins reset/ext_reset_in]
foreach pin [list $control_clock $memory_clock reset/slowest_sync_clk accelerator/aclk \
        dma/s_axi_lite_aclk dma/m_axi_mm2s_aclk dma/m_axi_s2mm_aclk control_bus/aclk \
        memory_bus/aclk] {
    connect_bd_net [get_bd_pins $clock] [get_bd_pins $pin]
}
foreach pin [list accelerator/aresetn dma/axi_resetn control_bus/aresetn memory_bus/aresetn] {
    connect_bd_net [get_bd_pins reset/peripheral_aresetn] [get_bd_pins $pin]
}

assign_bd_address
validate_bd_design
save_bd_design

set bd [get_files design_1.bd]
generate_target all $bd
add_files -norecurse [make_wrapper -files $bd -top]
add_files -fileset constrs_1 -norecurse [file join $here constraints.xdc]
set_property top design_1_wrapper [current_fileset]
update_compile_order -fileset sources_1

launch_runs impl_1 -to_step write_bitstream -jobs $jobs
wait_on_run impl_1
if {[get_property PROGRESS [get_runs impl_1]] ne "100%"} {
    error "the implementation run did not finish: see [get_property DIRECTORY [get_runs impl_1]]"
}

set output [file join $here output]
file mkdir $output
open_run impl_1
report_utilization -hierarchical -file [file join $output utilization.rpt]
report_timing_summary -file [file join $output timing.rpt]
file copy -force [file join [get_property DIRECTORY [get_runs impl_1]] design_1_wrapper.bit] \
    [file join $output model.bit]
set generated [file join $here project]
set handoff [concat \
    [glob -nocomplain [file join $generated *.gen sources_1 bd design_1 hw_handoff design_1.hwh]] \
    [glob -nocomplain [file join $generated *.srcs sources_1 bd design_1 hw_handoff design_1.hwh]]]
if {[llength $handoff] == 0} {
    error "Vivado wrote no design_1.hwh below $generated"
}
file copy -force [lindex $handoff 0] [file join $output model.hwh]
puts "hwgen: bitstream and .hwh are in $output"
