/* Never compiled: meson.build of the worker names a library here that its program does not link. */
