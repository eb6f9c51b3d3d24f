/** PostgreSQL refuses the data itself (classes 22 and 23): trying the same again cannot help. */
export const isDataError = (error: unknown): error is Error & { code: string } =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code);
