# Common settings, and two functions: a library of ours and a program of ours.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

set(PAWL_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=…: address,undefined or thread")

add_library(pawl_settings INTERFACE)
target_include_directories(pawl_settings INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(pawl_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
target_compile_definitions(pawl_settings INTERFACE PAWL_VERSION="${PROJECT_VERSION}")
if(PAWL_SANITIZE)
  # `null` is left out: a CAF header binds a null reference while registering brokers.
  target_compile_options(pawl_settings INTERFACE -fsanitize=${PAWL_SANITIZE} -fno-sanitize=null -fno-omit-frame-pointer)
  target_link_options(pawl_settings INTERFACE -fsanitize=${PAWL_SANITIZE})
endif()

# pawl_library(NAME sources… LINKS libraries…)
function(pawl_library name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC pawl_settings ${arg_LINKS})
endfunction()

# pawl_program(NAME sources… LINKS libraries…)
function(pawl_program name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE pawl_settings ${arg_LINKS})
endfunction()
