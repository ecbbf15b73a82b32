"""The words of mail servers, one expression a line, in the languages they speak."""

from __future__ import annotations

import re


def any_of(lines: str) -> re.Pattern[str]:
    """Matches what one of the lines matches; capitals do not count, lines that begin with # are remarks."""
    expressions = (line.strip() for line in lines.splitlines())
    return re.compile("|".join(line for line in expressions if line and not line.startswith("# ")), re.IGNORECASE)


# Names of hosts, links and addresses hold words that mean nothing: `antispam.school.example said: 550 User unknown`.
NAMES = re.compile(r"(?<!\S)\S*(?:@|://|%40)\S*|(?<![\w.-])[\w-]+(?:\.[\w-]+)+|\[[\d.:a-f]+\]", re.IGNORECASE)
# Which command was refused, and what was said to the server.
COMMANDS = re.compile(
    r"\(?(?:in reply to|after|response to)[^\n]{0,20}\b(?:MAIL FROM|RCPT TO|end of data|DATA|EHLO|HELO)\b"
    r"(?::<[^>\n]*>)?(?: SIZE=\d+)?(?: command)?\)?|^>>> .*$",
    re.IGNORECASE | re.MULTILINE,
)
# Refused before any recipient was named: it is about us, whatever the words are.
BEFORE_ANY_RECIPIENT = any_of(r"""
    in reply to (?:the )?(?:MAIL FROM|EHLO|HELO)
    after (?:sending |pipelined )?(?:MAIL FROM|EHLO|HELO|initial connection)
    (?:did not|didn't|does not) like our (?:MAIL FROM|EHLO|HELO)
    but (?:my name|(?:the )?sender|greeting) (?:was rejected|failed)|\bmy name was rejected
    refused to talk to me
    >>> (?:MAIL|EHLO|HELO)\b[^\n]*\n<<< 5
""")
# All recipients were refused before, and this is only the consequence.
NO_RECIPIENT_LEFT = re.compile(
    r"(?:error: )?no valid recipients[^\n]{0,20}\(in reply to (?:end of )?DATA|\bneed rcpt\b", re.IGNORECASE
)
NOT = re.compile(r"\b(does|do|did|is|was|were|has|have|could)(?:nt|\u2019t)\b", re.IGNORECASE)
# Nothing but a link, or words that lead to one.
NOTHING_BUT_LINKS = re.compile(
    r"(?:[\s…\d.,:;()<>\[\]\"'#-]|\b(?:see|please|visit|at|for|more|info(?:rmation)?|details|refer|to|error)\b)*",
    re.IGNORECASE,
)

FULL = any_of(r"""
    over ?quota
    quota[^.\n]{0,30}(?:exceed|full|violat|reached)
    exhausted[^.\n]{0,30}(?:storage|space)
    (?:exceed|over|reached)\w*[^.\n]{0,40}(?:quota|storage|disk space|mail ?box size|mail ?box limit)
    (?:mail ?box|in-?box|account|storage|disk|mail ?folder|maildir|mail ?drop)[^.\n]{0,40}(?:\bfull\b|exceed)
    (?:mail ?box|in-?box|account|storage|disk)[^.\n]{0,40}(?:over (?:the |its )?limit|out of (?:disk )?space)
    (?:insufficient|not enough|no) (?:disk |system |storage |mail ?box )?(?:space|storage)\b
    out of storage
    receiving (?:e?mail|messages) (?:at a rate|too quickly)
    # German
    postfach[^.\n]{0,40}voll
    speicher(?:platz|begrenzung|kontingent)
    # Spanish
    buz[oó]n[^.\n]{0,40}llen[oa]
    (?:excedi|supera|sobrepas)[^.\n]{0,30}cuota
    cuota[^.\n]{0,30}(?:excedida|superada|llena)
    espacio (?:insuficiente|en disco)
    # French, Portuguese, Italian, Dutch
    bo[iî]te[^.\n]{0,40}(?:pleine|satur)
    quota d[eé]pass
    caixa[^.\n]{0,40}(?:cheia|lotada)
    casella[^.\n]{0,40}piena
    postvak[^.\n]{0,20}vol\b
    # Japanese, Russian, Chinese, Korean
    容量|いっぱい|一杯|満杯
    переполнен|превышен[^.\n]{0,20}квот
    (?:邮箱|郵箱|信箱|空间)[^。\n]{0,6}[满滿]
    용량
""")

ABOUT_US = any_of(r"""
    spam
    \bjunk\b|unsolicited|\bbulk\b
    \bpolic(?:y|ies)\b
    reputation|complaint|suspicious|phish|virus|malware|infected
    (?:black|block|deny)(?:ed)?[- ]?list
    \b(?:rbl|dnsbl|surbl|uribl|sbl|xbl|pbl)\b
    \bblock(?:ed|ing)?\b|\bbanned\b|prohibited
    not (?:allowed|permitted|authori[sz]ed) (?:to|for|from|by)
    unauthori[sz]ed|permission|insufficient rights|restricted|moderat
    access denied|refused by filter
    \bnot (?:an? )?(?:\w+ )?members?\b|\bnon-?members?\b|members only|only (?:\w+ )?(?:members|subscribers)
    \bdmarc\b|\bspf\b|\bdkim\b|authenticat|sender ?id\b
    tls (?:is )?required|must issue a starttls
    relay(?:ing)?\b(?: access| not|:| is)?[^.\n]{0,20}(?:denied|permitted|prohibited|allowed)
    (?:unable|not able|refus\w*) to relay|no relaying|(?:do|will) not relay
    sender[^.\n]{0,20}address
    your (?:e-?mail )?address (?:is|has|was)
    password|credential|recipient preference
    sender(?:'s)? (?:domain|ip|host|verif|is|not|denied|reject|unknown)
    from (?:address|header|domain|field)|\bfrom: ?domain|return.(?:path|address)|\breply-to\b|originator
    (?:invalid|bad|missing|malformed|illegal|duplicate|in) (?:the |an? )?(?:[\w-]+ )?headers?\b
    (?:valid|invalid|missing|bad|multiple) (?:\w+ )?from\b(?::| header| address)
    \bsender\b(?! said| says| repl)[^.…\n]{0,40}(?:unknown|invalid|n't exist)
    \bsender\b(?! said| says| repl)[^.…\n]{0,40}not (?:be )?(?:exist|found|valid|resolve|verif)
    \bmail ?from\b
    client host|reverse (?:dns|hostname|lookup)|\b(?:ptr|rdns)\b|\b[eh]h?e?lo\b
    your (?:ip|host|hostname|domain|network|sending|account|(?:mail )?server|user)
    you are not an? \w+ (?:user|sender|member|host)
    invalid ip\b
    too many (?:\w+ )?(?:recipients|users|addresses|connections|messages|errors|emails|invalid|concurrent)
    (?:harvest|dictionary)[^.\n]{0,10}\battack|(?:white|allow|safe)(?:ed)?[- ]?list
    \b(?:or|because|since) (?:that )?you\b|you are not (?:\w+ )?(?:known|registered)
    \bin (?:the )?(?:message|mail|e-?mail|body|text)\b
    \b(?:message|mail|body|content) (?:contains|refers|includes|references)
    (?:invalid|bad|blocked) (?:url|link)|\b(?:url|link)s? (?:host|domain)
    rate.?limit|throttl|unusual (?:rate|volume)
    content (?:reject|filter|denied|not)
    (?:message|mail)(?: size)? (?:is )?(?:too (?:large|big|long)|exceeds)
    (?:size|length) (?:limit|exceed)|exceeds? (?:the )?(?:maximum |fixed )?(?:message )?size
    list-unsubscribe
    # German
    richtlinie|absender|zugriff verweigert
    nicht (?:autorisiert|berechtigt|erlaubt|zugelassen)
    # Spanish, French, Portuguese, Italian
    pol[ií]tica|remitente|correo no deseado|acceso denegado
    no (?:est[aá] |tiene )?(?:autorizad|permi)
    exp[eé]diteur|ind[eé]sirable|non autoris
    remetente|mittente
    # Japanese, Russian, Chinese, Korean
    迷惑メール|ポリシー|送信者|差出人|スパム
    спам|отправител
    垃圾邮件|垃圾郵件
    스팸
""")

PASSING = any_of(r"""
    temporar(?:y|ily)|temporal(?:mente)?\b|temporaire
    try (?:again|it)?[^.\n]{0,20}later
    \btimed? ?out\b|timeout|servfail|not found, try again
    connection (?:refused|reset|lost|dropped)
    (?:retry|delivery) (?:time|period) (?:exceeded|expired)
    too many hops|\bloop|gr[ea]y-?list
    vorübergehend
    一時的
    временн
    暂时|暫時
""")

ASLEEP = any_of(r"""
    (?:account|mail ?box|user|recipient|address|addressee)\b[^.\n]{0,60}\b(?:disabled|suspended|deactivated|inactive)
    (?:account|mail ?box|user|recipient|address|addressee)\b[^.\n]{0,60}\b(?:locked|frozen|on hold|dormant)
    (?:account|mail ?box|user|recipient|address|addressee)\b[^.\n]{0,60}\b(?:not|no longer) active
    (?:account|mail ?box|user|recipient|address|addressee)\b[^.\n]{0,60}\b(?:closed|discontinued|expired)
    (?:account|mail ?box) (?:is |has been |was )?(?:currently |temporarily )?block
    (?:disabled|suspended|inactive|deactivated|blocked|locked|expired) (?:account|mailbox|user|recipient)
    (?<!system )(?<!host )(?<!domain )not accepting (?:any )?(?:mail|messages)
    (?:konto|postfach)[^.\n]{0,40}(?:deaktiviert|gesperrt)
    (?:cuenta|buz[oó]n)[^.\n]{0,40}(?:suspendid|desactivad|deshabilitad|inactiv|bloquead)
    compte[^.\n]{0,40}(?:bloqu|suspendu|désactiv)
    停止
    заблокирован
""")

_WHO = (
    r"(?:user(?: ?id)?|recipient|receiver|account|address(?:ee)?|mail ?box|alias|person|local.?part"
    r"|subscriber|customer)"
)
_NOT_THERE = r"\b(?:unknown|no such|invalid|non-?existent|bad|illegal|unrecogni[sz]ed|undefined)"
# What else may be unknown or invalid.
_ELSE = (
    r"(?:error|reason|response|answer|content|format|mime|characters?|command|argument|sender|client|encoding|headers?"
    r"|file|attachments?|messages?|status|code|charset|certificate|policy|protocol|type|url|links?|request|data|syntax"
    r"|body)\b"
)
DEAD = any_of(rf"""
    \b{_WHO}s?\b[^.\n]{{0,60}}\b(?:unknown|non-?existent|invalid|no longer exists?)\b(?! {_ELSE})
    \b{_WHO}s?\b[^.\n]{{0,60}}(?:\bnot|n't) (?:be )?(?:found|exist|known|recogni[sz]ed|listed|valid|present)\b
    {_NOT_THERE} (?:or \w+ )?(?!{_ELSE})(?:[\w-]+ ){{0,2}}{_WHO}(?! syntax)
    \b(?:is not a|isn't a|not a|no) valid (?:[\w-]+ )?{_WHO}
    \bno (?:valid )?{_WHO}s?\b[^.\n]{{0,30}}(?:here|by that|with that|of that|named|at this|found|available)
    \bnot an? (?:known|local|active) {_WHO}
    (?:do|does|did)(?: not|n't) exist
    # Where the name of the address stood.
    …\W{{0,3}}(?:was |is )?not found
    not present in directory|not known at this site|no longer (?:valid|in use|on (?:this |the )?server)
    badrcptto|validrcptto|missing home directory|addresses were unknown
    there is no (?:one|{_WHO})\b|\bno ?(?:one|body)\b[^.\n]{{0,20}}(?:by that name|here)
    (?:doesn't|does not) have an? [^\n]{{0,60}}account
    (?:was|were|could)(?: not|n't) (?:be )?found (?:at|in|on)\b
    couldn't be found
    recip(?:ient)?notfound|adr\.recip\w*notfound
    \b{_WHO}\b[^.\n]{{0,30}}\b(?:has been|was|is) (?:deleted|removed|cancel+ed|terminated)\b
    not listed in|not our customer|has been replaced|mailbox name not allowed
    unroute?able address
    (?:user|mailbox|recipient) (?:has )?moved|no forwarding address
    # German
    (?:empf[aä]nger|adresse|benutzer|postfach|konto|teilnehmer)[^.\n]{{0,60}}(?:unbekannt|existiert nicht|ung[uü]ltig)
    (?:empf[aä]nger|adresse|benutzer|postfach|konto)[^.\n]{{0,60}}nicht (?:existiert|gefunden|bekannt|vorhanden)
    teilnehmer[^.\n]{{0,60}}nicht (?:gefunden|bekannt|vorhanden)
    (?:unbekannte|ung[uü]ltige)[rs]? (?:empf|adress|e-?mail|benutzer)
    # Spanish
    (?:usuario|destinatario|direcci[oó]n|buz[oó]n|cuenta|casilla)[^.\n]{{0,60}}(?:no existe|desconocid|inexistente)
    (?:usuario|destinatario|direcci[oó]n|buz[oó]n|cuenta)[^.\n]{{0,60}}no (?:se )?(?:ha |pudo |es )?(?:\w+ )?encontr
    (?:usuario|destinatario|direcci[oó]n|buz[oó]n|cuenta|casilla)[^.\n]{{0,60}}(?:no v[aá]lid|inv[aá]lid)
    no existe (?:el|la|ese|esa|un|ning|dich)
    # French
    (?:utilisateur|destinataire|adresse|bo[iî]te|compte)[^.\n]{{0,60}}(?:inconnu|introuvable|inexistant|invalide)
    (?:utilisateur|destinataire|adresse|bo[iî]te|compte)[^.\n]{{0,60}}n'existe (?:pas|plus)
    # Portuguese, Italian, Dutch, Polish
    (?:usu[aá]rio|destinat[aá]rio|endere[cç]o|conta\b)[^.\n]{{0,60}}(?:n[aã]o existe|desconhecid|inexistente|inv[aá]lid)
    (?:usu[aá]rio|destinat[aá]rio|endere[cç]o|conta\b)[^.\n]{{0,60}}n[aã]o (?:foi )?(?:p[oô]de ser )?encontrad
    (?:utente|destinatario|indirizzo|casella)[^.\n]{{0,60}}(?:sconosciut|inesistent|non (?:esiste|trovat|valid))
    (?:gebruiker|adres|ontvanger)[^.\n]{{0,60}}(?:onbekend|bestaat niet|niet gevonden)
    (?:użytkownik|adres)[^.\n]{{0,60}}(?:nieznany|nie istnieje)
    # Japanese
    (?:宛先|あて先|アドレス|ユーザー?|メールボックス|受信者)[^。\n]{{0,40}}(?:存在しま(?:せん|しない)|存在しない|不明|無効)
    (?:宛先|あて先|アドレス|ユーザー?|メールボックス|受信者)[^。\n]{{0,40}}見つか(?:りません|らない|らなかった)
    (?:不明な|無効な)(?:宛先|アドレス|ユーザ)
    # Russian, Chinese, Korean
    (?:пользовател|адрес|ящик|получател)\w*[^.\n]{{0,60}}(?:не существует|не найден|неизвест)
    (?:用户|用戶|收件人|地址|邮箱|信箱)[^。\n]{{0,20}}(?:不存在|未找到|找不到|未知)
    (?:사용자|주소|수신자)[^.\n]{{0,30}}(?:존재하지|찾을 수 없)
""")

NOWHERE = any_of(r"""
    (?:host|domain)(?: or domain)?(?: name)? (?:not found|unknown|(?:does|do)(?: not|n't) exist|is invalid|has no mail)
    (?:unknown|no such|invalid|bad|non-?existent) (?:mail |destination )?(?:host|domain)
    nxdomain|no such host|non-?existent host|name or service not known|find any host named
    unroute?able mail domain
    host found but no data record|answer with no data
    \bno (?:mx|mx or a|a or mx|mail exchanger?)(?: record)?s?\b|find a mail exchanger
""")

# The domain exists and wants no mail (RFC 7504, RFC 7505).
NO_MAIL_THERE = any_of(r"""
    null ?mx|indicated no smtp service|accepts no mail
    does(?: not|n't) (?:accept|receive) (?:any )?e?-?mail\b(?! (?:from|with|by|over|larger|via))
    (?:system|host|domain) (?:is )?not accepting (?:any |network )?(?:e?-?mail|messages)
""")

# Said with these words, but by these codes alone, Exchange Online and Outlook mean an address that does not exist.
MICROSOFT_UNKNOWN = any_of(r"""
    5\.4\.1\b[^\n]{0,40}recipient address rejected: access denied
    5\.5\.0\b[^\n]{0,60}mailbox unavailable
""")
