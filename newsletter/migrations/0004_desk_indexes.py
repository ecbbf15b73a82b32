from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0003_lean_ledger'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('current', True), models.Q(('reason', ''), _negated=True)), fields=['mailing', 'state', 'reason', 'due_at'], name='delivery_trouble'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['mailing', 'sent_at'], name='delivery_pace'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['created_at'], name='notice_failed'),
        ),
    ]
