# Packages the accelerator as an IP of the user repository in vivado/ip. Made by hwgen.
# vivado -mode batch -source package_ip.tcl

set here [file dirname [file normalize [info script]]]
set root [file dirname $here]

create_project -force package [file join $here package] -part xc7z020clg400-1
add_files -norecurse [lsort [glob [file join $root rtl *.v]]]
set_property top accelerator [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir [file join $here ip] -vendor hwgen -library user \
    -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property name accelerator $core
set_property display_name hwgen\ model $core
set_property version 0.1 $core
set_property supported_families [list zynq Production] $core

# The interfaces are inferred from the names of the ports; all of them run on aclk.
ipx::infer_bus_interface aclk xilinx.com:signal:clock_rtl:1.0 $core
ipx::infer_bus_interface aresetn xilinx.com:signal:reset_rtl:1.0 $core
foreach bus [list s_axis m_axis s_axil] {
    ipx::associate_bus_interfaces -busif $bus -clock aclk $core
}
ipx::associate_bus_interfaces -clock aclk -reset aresetn $core

ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project
