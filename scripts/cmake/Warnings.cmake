# Warnings are errors, everywhere. Sanitizers are a property of the whole build.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Werror)
if(FWD_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
