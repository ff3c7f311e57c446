// A person who signs in: what an application of the official clients calls an OAuth provider. It follows the authorization URL as a browser
// would, to the address at which the application waits.
export class Person {
  /** The scopes that were asked for, each time the person was sent to sign in. */
  asked = [];

  constructor(callback = 'http://127.0.0.1:9/signed-in') {
    this.redirectUrl = callback;
    this.clientMetadata = {
      client_name: 'buyer', redirect_uris: [callback], token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    };
  }

  clientInformation() { return this.registration; }
  saveClientInformation(registration) { this.registration = registration; }
  tokens() { return this.saved; }
  saveTokens(tokens) { this.saved = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  discoveryState() { return this.discovered; }
  saveDiscoveryState(state) { this.discovered = state; }

  async redirectToAuthorization(url) {
    this.asked.push(url.searchParams.get('scope'));
    this.answer = await this.visit(url);
  }

  /** Goes where the identity provider leads, and gives what it says at the end. */
  async visit(url) {
    const cookies = new Map();
    let next = url;
    while (!next.href.startsWith(this.redirectUrl)) {
      const cookie = [...cookies].map(pair => pair.join('=')).join('; ');
      const response = await fetch(next, { redirect: 'manual', headers: { cookie } });
      for (const set of response.headers.getSetCookie()) cookies.set(...set.split(';')[0].split(/=(.*)/s, 2));
      const location = response.headers.get('location');
      if (!location) throw new Error(`The identity provider answers ${response.status}: ${await response.text()}`);
      next = new URL(location, next);
    }
    return next.searchParams;
  }

  /** What the identity provider answered since this was last asked. */
  takeAnswer() {
    const answer = this.answer;
    this.answer = undefined;
    if (answer?.has('error')) throw new Error(`The identity provider answers ${answer.get('error')}: ${answer.get('error_description')}`);
    return answer;
  }
}
