# cmake -DOUT=builtin_data.cpp -DFILES=a;b -P embed.cmake: C++ that defines hearth::builtin_files(). The assembler copies the files in
# (.incbin), which costs a compiler nothing; 11 MB of weights as an array of numbers would cost it a minute.
set(code "// Written by embed.cmake.\n#include \"loaders/builtin/builtin_files.h\"\n\n")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  set(symbol hearth_builtin_${number})
  math(EXPR number "${number} + 1")
  string(APPEND code "__asm__(\".pushsection .rodata\\n.balign 64\\n${symbol}:\\n.incbin \\\"${file}\\\"\\n${symbol}_end:\\n.byte 0\\n.popsection\\n\");\n"
                     "extern \"C\" {\n[[gnu::visibility(\"hidden\")]] extern const std::byte ${symbol}[];\n"
                     "[[gnu::visibility(\"hidden\")]] extern const std::byte ${symbol}_end[];\n}\n")
  string(APPEND rows "        {\"${name}\", {${symbol}, ${symbol}_end}},\n")
endforeach()
string(APPEND code "\nnamespace hearth {\nstd::span<const BuiltinFile> builtin_files() {\n    static const BuiltinFile kFiles[] = {\n${rows}    };\n\
    return kFiles;\n}\n}  // namespace hearth\n")
file(WRITE ${OUT} "${code}")
