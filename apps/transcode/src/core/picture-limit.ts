/** Pixels of a picture that is opened: more than videos have; what is larger was refused when it came. */
export const mostPixels = 64_000_000;
