/** The package ships no types. Only what noise-filter.ts calls is declared; see the package's rnnoise.js. */
declare module '@echogarden/rnnoise-wasm' {
  export interface RNNoise {
    readonly HEAPF32: Float32Array;
    _rnnoise_create(model: number): number;
    _rnnoise_destroy(handle: number): void;
    _rnnoise_process_frame(handle: number, output: number, input: number): number;
    _malloc(bytes: number): number;
    _free(address: number): void;
  }
  export default function loadRNNoise(): Promise<RNNoise>;
}
