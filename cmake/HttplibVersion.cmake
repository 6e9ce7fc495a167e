# chat/http/transport derives from cpp-httplib's server and uses parts of version 0.11 that other versions name or order otherwise. With one of those
# it need not compile, and the guards that chat/http/NOTES.md lists need not hold.
set(HEARTH_HTTPLIB_SERIES 0.11)

# check_httplib_version(HEADER LIBRARY_VERSION): fails unless the header, and the library as pkg-config tells, are of that series and the same.
function(check_httplib_version header library)
  file(STRINGS ${header} line REGEX "^#define CPPHTTPLIB_VERSION \"" LIMIT_COUNT 1)
  string(REGEX REPLACE ".*\"([^\"]*)\".*" "\\1" found "${line}")
  if(NOT found)
    set(found "of no version that it names")
  endif()
  string(REPLACE "." "\\." series ${HEARTH_HTTPLIB_SERIES})
  if(NOT found MATCHES "^${series}(\\.|$)")
    message(FATAL_ERROR "cpp-httplib: ${header} is ${found}, Hearth needs ${HEARTH_HTTPLIB_SERIES} (Debian 12: libcpp-httplib-dev), because chat/http/transport "
                        "uses parts of it that other versions do not have.")
  endif()
  if(NOT library STREQUAL found)
    message(FATAL_ERROR "cpp-httplib: ${header} is ${found}, but pkg-config finds the library in version ${library}: both must come from one package.")
  endif()
endfunction()
