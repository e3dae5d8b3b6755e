/**
 * @typedef {object} CorsConfiguration As `aws s3api put-bucket-cors` takes it.
 * @property {{ AllowedOrigins: string[], AllowedMethods: string[], AllowedHeaders: string[], ExposeHeaders: string[], MaxAgeSeconds: number }[]} CORSRules
 */

/** The rules of src/server/README.md, for one site. @param {string} origin @returns {CorsConfiguration} */
export const corsFor = (origin) => ({
  CORSRules: [
    {
      AllowedOrigins: [origin],
      AllowedMethods: ['PUT', 'POST'],
      AllowedHeaders: ['content-type', 'if-none-match'],
      ExposeHeaders: ['ETag'],
      MaxAgeSeconds: 3600,
    },
  ],
});
