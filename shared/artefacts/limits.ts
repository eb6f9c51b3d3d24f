/** Bytes of one artefact. */
export const MAX_ARTEFACT_BYTES = 100_000_000;
export const MAX_MEDIA_TYPE_LENGTH = 255;
