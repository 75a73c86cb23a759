// What the bundler makes of these imports.

declare module "*.wasm?url" {
  const address: string;
  export default address;
}

declare module "*.css?inline" {
  const text: string;
  export default text;
}

declare module "*?worker&url" {
  const address: string;
  export default address;
}

declare module "*.js?raw" {
  const text: string;
  export default text;
}
