# cmake -DOUT=assets_data.cpp -DFILES=a;b -P embed.cmake: the files as one C++ source that defines hearth::assets().
set(rows "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  file(SIZE ${file} size)
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(REGEX REPLACE "(................................................................)" "\\1\"\n\"" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" hex "${hex}")
  string(APPEND rows "    {\"${name}\", std::string_view(\"${hex}\", ${size}), \"${hash}\"},\n")
endforeach()
file(WRITE ${OUT} "// Written by embed.cmake.\n#include \"chat/http/assets.h\"\n\nnamespace hearth {\nstd::span<const Asset> assets() {\n\
    static constexpr Asset kAssets[] = {\n${rows}    };\n    return kAssets;\n}\n}  // namespace hearth\n")
