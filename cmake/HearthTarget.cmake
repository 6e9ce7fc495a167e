# Flags that every target of ours has, and one function that makes a library of a folder.

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -fno-omit-frame-pointer)
if(HEARTH_WERROR)
  add_compile_options(-Werror)
endif()
# The same source must give the same bits at every optimisation level: no fused or reordered float arithmetic but what is written.
add_compile_options(-ffp-contract=off)
# What whoever builds has set in CXXFLAGS counts: an optimisation level or a degree of fortification of theirs is not overridden.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  if(NOT CMAKE_CXX_FLAGS MATCHES "(^| )-O")
    add_compile_options(-O2)
  else()
    string(REGEX REPLACE "-O[^ ]*" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  endif()
  if(NOT CMAKE_CXX_FLAGS MATCHES "_FORTIFY_SOURCE")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
if(HEARTH_SANITIZE)
  add_compile_options(-fsanitize=${HEARTH_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HEARTH_SANITIZE})
endif()

# hearth_library(NAME [DEPENDS targets of ours ...] [USES third-party targets ...]): all .cpp files of the current folder and below.
function(hearth_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;USES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_USES})
endfunction()
