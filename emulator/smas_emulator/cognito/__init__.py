"""Amazon Cognito user pools: tokens, sign-in rules and the OAuth endpoints, without any emulator."""
