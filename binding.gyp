{
  # Every .c of src/core and src/io and every .cc of src/addon: a file is registered by existing.
  'variables': {
    'list_sources': "['core','io','addon'].flatMap(d=>require('fs').readdirSync('src/'+d).filter(f=>f.endsWith('.c')||f.endsWith('.cc')).sort().map(f=>'src/'+d+'/'+f)).join(' ')",
  },
  'targets': [{
    'target_name': 'fanline',
    'sources': ['<!@(node -p "<(list_sources)")'],
    'include_dirs': ['src', "<!(node -p \"require('node-addon-api').include_dir\")"],
    'defines': [
      'NAPI_VERSION=9',
      'NAPI_DISABLE_CPP_EXCEPTIONS',
      'NODE_ADDON_API_DISABLE_DEPRECATED',
      'NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS',
      # In a worker that is being terminated any call may fail, and nothing can be thrown: that is not fatal.
      'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    ],
    'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden', '-pthread'],
    'cflags_c': ['-std=c11'],
    'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fvisibility-inlines-hidden'],
    'ldflags': ['-pthread'],
    'configurations': {
      'Release': { 'cflags': ['-O2'], 'cflags!': ['-O3'] },
      'Debug': { 'cflags': ['-O0', '-g'] },
    },
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      'GCC_C_LANGUAGE_STANDARD': 'c11',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
    },
    'msvs_settings': {
      'VCCLCompilerTool': { 'ExceptionHandling': 0, 'AdditionalOptions': ['/std:c++17', '/std:c11'] },
    },
    'conditions': [
      ['OS=="linux"', { 'sources!': ['src/io/poll_poll.c'] }, { 'sources!': ['src/io/poll_epoll.c'] }],
    ],
  }],
}
