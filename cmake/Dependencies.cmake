# Everything that others made: Debian packages, installed by tools/dev.sh setup.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(SENTENCEPIECE REQUIRED IMPORTED_TARGET sentencepiece)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
find_library(DNNL_LIBRARY dnnl REQUIRED)  # its CMake package asks for OpenCL's headers, which nothing here needs
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
find_path(CPP_HTTPLIB_INCLUDE_DIR httplib.h REQUIRED)
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
if(HEARTH_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(HEARTH_BUILD_PERF)
  find_package(benchmark REQUIRED)
endif()
