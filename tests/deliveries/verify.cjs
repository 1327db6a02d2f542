// Verifies messages by the public package `standardwebhooks`: argument: its folder; input: JSON list of {secret, headers,
// body}; output: JSON list of what each was verified as, or null.
const { Webhook, WebhookVerificationError } = require(process.argv[2]);

const messages = JSON.parse(require("fs").readFileSync(0, "utf8"));
const verified = messages.map(({ secret, headers, body }) => {
    try {
        return new Webhook(secret).verify(body, headers);
    } catch (error) {
        if (error instanceof WebhookVerificationError) return null;
        throw error;
    }
});
process.stdout.write(JSON.stringify(verified));
