# Writes the commit of a source tree into a .cpp file, anew only where it changed, so that nothing else is built again.
#   cmake -DSOURCE=<repository> -DOUT=<file> -P cmake/BuildCommit.cmake
# "unknown" where SOURCE is not the root of a git work tree (an archive, also one unpacked inside another project's tree) or git is missing.
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} rev-parse --show-toplevel WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    file(REAL_PATH ${SOURCE} root)
    if(top STREQUAL root)
      execute_process(COMMAND ${GIT} describe --always --dirty --abbrev=12 --exclude=* WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE found
                      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
      if(NOT failed)
        set(commit ${found})
      endif()
    endif()
  endif()
endif()
set(text "#include \"tools/hearth/support/build_commit.h\"\n\nstd::string_view hearth::tool::build_commit() { return \"${commit}\"; }\n")
set(before "")
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
