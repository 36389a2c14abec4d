import { ConsoleLogger, LogLevel, NodeJSFileSystem } from '@angular/compiler-cli';
import { createEs2015LinkerPlugin } from '@angular/compiler-cli/linker/babel';
import { transformAsync } from '@babel/core';
import { defineConfig } from 'vite';

// `ng build` does this and more. Here ngc has compiled the sources, and what is left is to finish Angular's own packages,
// which come half compiled, and to bundle all.
const linker = createEs2015LinkerPlugin({
  fileSystem: new NodeJSFileSystem(),
  logger: new ConsoleLogger(LogLevel.warn),
  linkerJitMode: false,
});

const angular = {
  name: 'angular-linker',
  async transform(code, id) {
    if (!code.includes('ɵɵngDeclare')) return null;
    return transformAsync(code, {
      filename: id,
      plugins: [linker],
      compact: false,
      configFile: false,
    });
  },
};

export default defineConfig({
  plugins: [angular],
  define: { ngDevMode: 'false', ngJitMode: 'false', ngI18nClosureMode: 'false' },
});
