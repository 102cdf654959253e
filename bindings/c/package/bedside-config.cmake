# find_package(bedside) gives bedside::bedside, the shared library, and bedside::static. Of the static library, the one for
# musl is taken where BEDSIDE_MUSL is set: with a compiler for musl alone, as what musl and glibc have in memory differs.
get_filename_component(_bedside_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET bedside::bedside)
  add_library(bedside::bedside SHARED IMPORTED)
  set_target_properties(bedside::bedside PROPERTIES
    IMPORTED_LOCATION "${_bedside_prefix}/lib/libbedside.so"
    IMPORTED_SONAME "libbedside.so.0"
    INTERFACE_INCLUDE_DIRECTORIES "${_bedside_prefix}/include")

  add_library(bedside::static STATIC IMPORTED)
  if(BEDSIDE_MUSL)
    set(_bedside_archive "${_bedside_prefix}/lib/musl/libbedside.a")
    # By it the unwinder inside finds its tables. Compilers leave it out of programs that are all static.
    set(_bedside_options "-Wl,--eh-frame-hdr")
  else()
    set(_bedside_archive "${_bedside_prefix}/lib/libbedside.a")
  endif()
  set_target_properties(bedside::static PROPERTIES
    IMPORTED_LOCATION "${_bedside_archive}"
    INTERFACE_LINK_LIBRARIES "pthread;dl;m;${_bedside_options}"
    INTERFACE_INCLUDE_DIRECTORIES "${_bedside_prefix}/include")
endif()
