"""Small exports as many systems write them, and columns of schools that only sound like standings."""

# System: the file as it writes it; each name says how its person must arrive. Addresses are added in front.
EXPORTS = {
    "phpList, database names": """
        email,confirmed,blacklisted,bouncecount,entered,modified,uniqid,htmlemail,disabled,optedin
        confirmed1,1,0,0,2024-01-01 10:00:00,2024-01-02 10:00:00,aa,1,0,0
        confirmed2,1,0,4,2024-01-01 10:00:00,2024-01-02 10:00:00,ab,1,0,1
        pending1,0,0,0,2024-01-01 10:00:00,,ac,1,0,0
        unsubscribed1,1,1,0,2024-01-01 10:00:00,,ad,1,0,1
        unsubscribed2,0,1,0,2024-01-01 10:00:00,,ae,1,0,1
        unsubscribed3,1,0,0,2024-01-01 10:00:00,,af,1,1,1
    """,
    "phpList, written out": """
        Email\tIs this subscriber confirmed\tIs this subscriber blacklisted\tDid this subscriber manually \
        confirm\tNumber of bounces
        confirmed1\t1\t0\t0\t2
        pending1\t0\t0\t0\t0
        unsubscribed1\t1\t1\t1\t0
    """,
    "Buttondown": """
        email,notes,tags,type,source,creation_date,unsubscription_date,undeliverability_date
        confirmed1,,"teacher, unsub-later",regular,form,2024-01-01T00:00:00Z,,
        confirmed2,,,premium,form,2024-01-01T00:00:00Z,,
        confirmed3,,,past_due,form,2024-01-01T00:00:00Z,,
        pending1,,,unactivated,form,2024-01-01T00:00:00Z,,
        unsubscribed1,,,unsubscribed,form,2024-01-01T00:00:00Z,2024-05-01T00:00:00Z,
        unsubscribed2,,,removed,form,2024-01-01T00:00:00Z,,
        bounced1,,,undeliverable,form,2024-01-01T00:00:00Z,,2024-05-01T00:00:00Z
        bounced2,,,regular,form,2024-01-01T00:00:00Z,,2024-05-01T00:00:00Z
        complained1,,,complained,form,2024-01-01T00:00:00Z,,
        suppressed1,,,spammy,form,2024-01-01T00:00:00Z,,
    """,
    "MailPoet": """
        First name,Last name,Email,List status,Global status
        A,B,confirmed1,Subscribed,Subscribed
        A,B,unsubscribed1,Unsubscribed,Subscribed
        A,B,unsubscribed2,Subscribed,Unsubscribed
        A,B,unsubscribed3,Subscribed,Inactive
        A,B,pending1,Subscribed,Unconfirmed
        A,B,bounced1,Subscribed,Bounced
    """,
    "MailPoet in Spanish": """
        Nombre;Apellidos;Correo electrónico;Estado de la lista;Estado global
        A;B;confirmed1;Suscrito;Suscrita
        A;B;unsubscribed1;Desuscrito;Suscrito
        A;B;unsubscribed2;Suscrito;Dado de baja
        A;B;pending1;Suscrito;Sin confirmar
        A;B;bounced1;Suscrito;Rebotado
    """,
    "MailPoet in German": """
        Vorname;Nachname;E-Mail;Listenstatus;Globaler Status
        A;B;confirmed1;Abonniert;Abonniert
        A;B;unsubscribed1;Abgemeldet;Abonniert
        A;B;unsubscribed2;Abonniert;Inaktiv
        A;B;pending1;Abonniert;Unbestätigt
        A;B;bounced1;Abonniert;Unzustellbar
    """,
    "MailPoet in French": """
        Prénom,Nom,Adresse e-mail,Statut de la liste,Statut global
        A,B,confirmed1,Abonné,Abonnée
        A,B,unsubscribed1,Désabonné,Abonné
        A,B,unsubscribed2,Abonné,Désinscrite
        A,B,pending1,Abonné,Non confirmé
        A,B,bounced1,Abonné,Rebond
    """,
    "Brevo": """
        CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;DOUBLE_OPT-IN;OPT_IN;ADDED_TIME
        1;confirmed1;A;B;;false;true;1;;2024-01-01
        2;confirmed2;A;B;;No;Yes;;true;2024-01-01
        3;unsubscribed1;A;B;;true;false;1;;2024-01-01
        4;unsubscribed2;A;B;;Yes;No;;;2024-01-01
        5;unsubscribed3;A;B;;false;No;1;false;2024-01-01
        6;pending1;A;B;;false;No;2;;2024-01-01
    """,
    "Kit": """
        id,first_name,email,state,created_at
        1,A,confirmed1,active,2024-01-01
        2,A,unsubscribed1,cancelled,2024-01-01
        3,A,bounced1,bounced,2024-01-01
        4,A,complained1,complained,2024-01-01
        5,A,unsubscribed2,inactive,2024-01-01
    """,
    "listmonk, one list": """
        uuid,email,name,attributes,status,subscription_status,created_at,updated_at
        u1,confirmed1,A,{},enabled,confirmed,2024-01-01,2024-01-01
        u2,pending1,A,{},enabled,unconfirmed,2024-01-01,2024-01-01
        u3,unsubscribed1,A,{},enabled,unsubscribed,2024-01-01,2024-01-01
        u4,suppressed1,A,{},blocklisted,confirmed,2024-01-01,2024-01-01
        u5,unsubscribed2,A,{},disabled,confirmed,2024-01-01,2024-01-01
    """,
    "Mailchimp, unsubscribed": """
        Email Address,First Name,Last Name,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,\
        UNSUB_REASON,LEID,EUID,TAGS
        unsubscribed1,A,B,2020-01-01 10:00:00,2020-01-01 10:00:00,2021-01-01 10:00:00,May,NORMAL,1,a,
        unsubscribed2,A,B,2020-01-01 10:00:00,2020-01-01 10:00:00,,,,2,b,
    """,
    "Mailchimp, cleaned": """
        Email Address,First Name,Last Name,OPTIN_TIME,CONFIRM_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID,TAGS
        bounced1,A,B,2020-01-01 10:00:00,2020-01-01 10:00:00,2021-01-01 10:00:00,May,1,a,
        bounced2,A,B,2020-01-01 10:00:00,2020-01-01 10:00:00,,,2,b,
    """,
    "Mailchimp, subscribed": """
        Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,CONFIRM_IP,REGION,LEID,EUID,NOTES,TAGS
        confirmed1,A,B,2,2020-01-01 10:00:00,2020-01-01 10:00:00,192.0.2.1,RI,1,a,,"\"\"VIP\"\""
    """,
    "Substack": """
        email,active_subscription,expiry,plan,email_disabled,created_at
        confirmed1,true,2030-01-01T00:00:00Z,yearly,false,2020-01-01T00:00:00Z
        confirmed2,false,,other,false,2020-01-01T00:00:00Z
        unsubscribed1,true,2030-01-01T00:00:00Z,yearly,true,2020-01-01T00:00:00Z
    """,
    "Ghost": """
        id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers
        1,confirmed1,A,,true,false,,2020-01-01T00:00:00Z,,,
        2,confirmed2,A,,,false,,2020-01-01T00:00:00Z,,,
        3,unsubscribed1,A,,false,false,,2020-01-01T00:00:00Z,,,
        4,unsubscribed2,A,,true,false,,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,,
    """,
    "Keila": """
        Email,First name,Last name,Status
        confirmed1,A,B,active
        confirmed2,A,B,
        unsubscribed1,A,B,unsubscribed
        bounced1,A,B,unreachable
    """,
    "HubSpot": """
        Record ID,First Name,Email,Lifecycle Stage,Lead Status,Marketing contact status,\
        Unsubscribed from all email,Email hard bounce reason,Opted out of email: Marketing Information,\
        Marketing emails bounced
        1,A,confirmed1,Subscriber,New,Marketing contact,No,,,1
        2,A,confirmed2,Lead,Open,Non-marketing contact,,,No,0
        3,A,unsubscribed1,Lead,Open,Marketing contact,Yes,,,0
        4,A,unsubscribed2,Lead,Open,Marketing contact,,,Yes,0
        5,A,bounced1,Lead,Open,Marketing contact,No,UNKNOWN_USER,,3
    """,
    "Constant Contact": """
        Email address,First name,Email status,Email permission status,Confirmed Opt-Out Date,\
        Confirmed Opt-Out Reason,State
        confirmed1,A,Active,Implied,,,RI
        confirmed2,A,Active,Express,,,MA
        unsubscribed1,A,Unsubscribed,Unsubscribed,03/01/2024,,RI
        unsubscribed2,A,Active,Express,03/01/2024,Too many,RI
        pending1,A,Awaiting Confirmation,Awaiting Confirmation,,,RI
        pending2,A,No Permissions Set,Not Set,,,RI
        pending3,A,,,,,RI
    """,
    "beehiiv": """
        email,status,created_at,subscription_tier,utm_source
        confirmed1,active,2024-01-01,free,
        unsubscribed1,inactive,2024-01-01,free,
        pending1,pending,2024-01-01,free,
        pending2,validating,2024-01-01,premium,
        bounced1,invalid,2024-01-01,free,
    """,
    "MailerLite": """
        Subscriber,Status,Subscribed,Unsubscribed,Name,State
        confirmed1,active,2024-01-01 10:00:00,,A,Texas
        unsubscribed1,unsubscribed,2024-01-01 10:00:00,2024-05-01 10:00:00,A,RI
        pending1,unconfirmed,2024-01-01 10:00:00,,A,RI
        bounced1,bounced,2024-01-01 10:00:00,,A,MA
        complained1,junk,2024-01-01 10:00:00,,A,
    """,
    "a sheet in Spanish": """
        correo;nombre;baja;fecha de baja
        confirmed1;A;no;
        unsubscribed1;A;sí;
        unsubscribed2;A;;12/05/2024
    """,
    "a sheet in German": """
        E-Mail;Name;abonniert;gesperrt
        confirmed1;A;ja;nein
        unsubscribed1;A;nein;nein
        unsubscribed2;A;ja;ja
        pending1;A;;nein
    """,
    "a sheet in French": """
        courriel;prénom;abonné;désabonné le
        confirmed1;A;oui;
        unsubscribed1;A;non;
        unsubscribed2;A;oui;2024-05-12
    """,
    "a sheet with ticks": """
        Email,Name,Newsletter?,Unsubscribed
        confirmed1,A,✓,
        unsubscribed1,A,no,
        unsubscribed2,A,x,x
        pending1,A,,
    """,
    "a sheet whose heading tells nothing": """
        email,name,column C
        confirmed1,A,subscribed
        unsubscribed1,A,unsubscribed
        bounced1,A,hard bounce
    """,
    "tags": """
        email,name,tags
        confirmed1,A,"VIP, teacher"
        confirmed2,A,"grade 5, math"
        confirmed3,A,coach
        unsubscribed1,A,"VIP, Unsubscribed"
    """,
    "notes and a membership": """
        email,notes,Member status
        confirmed1,met at the fair,active
        unsubscribed1,unsubscribed,active
        unsubscribed2,,inactive
    """,
    "Klaviyo": """
        Email,Email Marketing Consent,Email Suppressions
        confirmed1,SUBSCRIBED,[]
        unsubscribed1,NEVER_SUBSCRIBED,[]
        unsubscribed2,UNSUBSCRIBED,[]
        bounced1,SUBSCRIBED,['HARD_BOUNCE']
    """,
    "a camel": """
        emailAddress,email,hasOptedOutOfEmail,isBounced
        ,confirmed1,0,0
        ,unsubscribed1,1,0
        ,bounced1,0,1
    """,
    "consent by answer": """
        email,name,consent
        confirmed1,A,I want the newsletter.
        unsubscribed1,A,no
        unsubscribed2,A,FALSE
    """,
}

# Columns of schools that have nothing to do with mail, however much they sound like it.
SCHOOL = {
    "state": ["RI", "MA", "Texas", "Rhode Island"],
    "State": ["tx", "OK", "IN", "OR"],
    "estado": ["Texas", "CA", "Puerto Rico"],
    "Estado": ["Jalisco", "Nuevo León"],
    "notes": ["met at the fair", "asked for Spanish", "thinks she unsubscribed once"],
    "Send this subscriber HTML emails": ["1", "0"],
    "grade": ["K", "1", "2nd", "6-8"],
    "role": ["teacher", "Principal", "coach", "former teacher"],
    "type": ["regular", "substitute", "public", "charter"],
    "employment status": ["active", "on leave", "retired"],
    "Estado civil": ["casado", "soltera"],
    "Lead Status": ["New", "Blocked", "Open"],
    "Photo opt-out": ["yes", "no", "yes"],
    "Photo permission": ["yes", "no", ""],
    "Child abuse training": ["yes", "no", "2024-03-01"],
    "Active employee": ["yes", "no"],
    "priority": ["alta", "media", "baja"],
    "WordPress role": ["subscriber", "editor", "administrator"],
    "Mailing State": ["RI", "NO", "US"],
    "Mailing country": ["NO", "US"],
    "Email Address 2": ["a@example.com", ""],
    "SMS opted out": ["yes", "no"],
    "unsubscribe_url": ["https://x.example/u/1", "https://x.example/u/2"],
    "Number of bounces": ["0", "3"],
    "subscribed at": ["2024-01-01", "2024-01-02"],
    "homeroom": ["subscribed to band", "12", "13"],
}
