// What the offline build of the mediasoup worker is made of. All of it is part of the cache's key.

/** The mediasoup release that this recipe was verified with. */
export const VERIFIED_VERSION = '3.27.1';

/** Distribution packages (Debian's and Ubuntu's names) that the build needs. */
export const BUILD_PACKAGES = [
  'g++',
  'meson',
  'ninja-build',
  'pkg-config',
  'libuv1-dev',
  'libssl-dev',
  'libsrtp2-dev',
  'libflatbuffers-dev',
  'flatbuffers-compiler',
  'libabsl-dev',
];

/** Debian 12's packages that what was built so is linked with: for an image without the ones above. */
export const LINKED_PACKAGES = ['libabsl20220623', 'libsrtp2-1', 'libssl3', 'libstdc++6', 'libuv1'];

/** Options of `meson setup`: upstream's release build, and nothing downloaded. */
export const MESON_OPTIONS = [
  '--wrap-mode=nodownload',
  '-Doptimization=3',
  '-Ddebug=false',
  '-Db_ndebug=true',
  '-Dms_use_builtin_bwe=false',
];

/**
 * Changes to a private copy of the worker's sources. Each `from` must occur exactly once.
 * @type {ReadonlyArray<{ file: string, from: string, to: string }>}
 */
export const PATCHES = [
  // Debian 12 has meson 1.0.1, which is enough for what the worker's file uses.
  { file: 'meson.build', from: "meson_version: '>= 1.1.0'", to: "meson_version: '>= 1.0.1'" },
  // The callback answers 1 to every BIO_ctrl(). Distributions build OpenSSL with kernel TLS, which then
  // takes the 1 of BIO_CTRL_GET_KTLS_SEND for a yes, keeps no write buffer and crashes at the first DTLS
  // handshake. Only the answer that follows an operation may be replaced.
  {
    file: 'src/RTC/DtlsTransport.cpp',
    from: '(operationType == BIO_CB_RETURN) ? static_cast<long>(ret) : 1',
    to: '(operationType & BIO_CB_RETURN) ? static_cast<long>(ret) : 1',
  },
];
