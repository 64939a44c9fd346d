# Flags that every target of this project shares.

set(DAVIT_LIBEXECDIR "${CMAKE_INSTALL_FULL_LIBEXECDIR}/davit" CACHE PATH "Where davit-launch and the other helpers live on the device")

add_library(davit_options INTERFACE)
target_include_directories(davit_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(davit_options INTERFACE -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual)
target_compile_definitions(davit_options INTERFACE DAVIT_VERSION="${PROJECT_VERSION}")
# Members that a designated initializer leaves out have their defaults: that is what we use them for.
target_compile_options(davit_options INTERFACE -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # TRY is a statement expression; gcc accepts it silently.
  target_compile_options(davit_options INTERFACE -Wno-gnu-statement-expression-from-macro-expansion)
endif()
if(DAVIT_SANITIZE)
  target_compile_options(davit_options INTERFACE -fsanitize=${DAVIT_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(davit_options INTERFACE -fsanitize=${DAVIT_SANITIZE})
endif()
target_link_options(davit_options INTERFACE -Wl,--as-needed $<$<CONFIG:Release,MinSizeRel>:-Wl,--gc-sections>)
target_compile_options(davit_options INTERFACE $<$<CONFIG:Release,MinSizeRel>:-ffunction-sections> $<$<CONFIG:Release,MinSizeRel>:-fdata-sections>)

# One room, one static library: davit_room(name SOURCES … LIBS … [PRIVATE_LIBS …])
function(davit_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LIBS;PRIVATE_LIBS" ${ARGN})
  add_library(davit_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(davit_${name} PUBLIC davit_options ${ROOM_LIBS} PRIVATE ${ROOM_PRIVATE_LIBS})
endfunction()
