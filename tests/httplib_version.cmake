# Another cpp-httplib than the one whose insides the server uses is refused when the project is configured.
# cmake -DROOT=... -DOUT=... -P httplib_version.cmake; with HEADER and LIBRARY: the check itself.
include(${ROOT}/cmake/HttplibVersion.cmake)
if(HEADER)
  check_httplib_version(${HEADER} ${LIBRARY})
  return()
endif()

# expect(LINE LIBRARY MESSAGE): what is said of a header with that line; "" where it is taken.
function(expect line library message)
  set(header ${OUT}/httplib_version/httplib.h)
  file(WRITE ${header} "#ifndef CPPHTTPLIB_HTTPLIB_H\n${line}\n#endif\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${ROOT} -DHEADER=${header} -DLIBRARY=${library} -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
                  RESULT_VARIABLE code ERROR_VARIABLE said OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " said "${said}")  # CMake breaks lines
  string(FIND "${said}" "${message}" at)
  if((message STREQUAL "" AND NOT code EQUAL 0) OR (NOT message STREQUAL "" AND (code EQUAL 0 OR at EQUAL -1)))
    message(FATAL_ERROR "'${line}' with library ${library}: expected '${message}', found code ${code}: ${said}")
  endif()
endfunction()

expect("#define CPPHTTPLIB_VERSION \"0.11.4\"" 0.11.4 "")
expect("#define CPPHTTPLIB_VERSION \"0.12.0\"" 0.12.0 "is 0.12.0, Hearth needs 0.11 ")
expect("#define CPPHTTPLIB_VERSION \"0.110.1\"" 0.110.1 "is 0.110.1, Hearth needs 0.11 ")
expect("#define CPPHTTPLIB_VERSION \"0.11.4\"" 0.14.3 "is 0.11.4, but pkg-config finds the library in version 0.14.3")
expect("" 0.11.4 "is of no version that it names, Hearth needs 0.11 ")
