"""What is downloaded says the truth about its encoding."""

import pytest
from django.core.files.base import ContentFile
from PIL import Image as Drawing

from content.models import CreditedDocument, CreditedImage

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.mark.parametrize("name", ["plan.txt", "plan.pdf", "tables.csv", "plan.docx", "all.zip", "plan"])
def test_a_document_names_no_encoding_that_does_not_exist(client, name):
    document = CreditedDocument.objects.create(title="Plan", file=ContentFile(b"A plan", name))
    answer = client.get(document.url)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"A plan"
    assert "Content-Encoding" not in answer.headers
    again = client.get(document.url, headers={"if-none-match": answer.headers["ETag"]})
    assert (again.status_code, "Content-Encoding" in again.headers) == (304, False)


def test_a_picture_and_its_original_name_none_either(client, admin_client, tmp_path):
    file = tmp_path / "dot.png"
    Drawing.new("RGB", (40, 30), "teal").save(file)
    image = CreditedImage.objects.create(
        title="Dot", file=ContentFile(file.read_bytes(), "dot.png"), width=40, height=30
    )
    for address in (image.get_rendition("width-20").url, image.file.url):
        answer = admin_client.get(address)
        assert answer.status_code == 200, address
        assert "Content-Encoding" not in answer.headers
        assert b"".join(answer.streaming_content)
