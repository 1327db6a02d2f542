// The command of Directus without its look for a newer version: a benchmark asks nobody outside.
import '@directus/api/cli/run.js'
